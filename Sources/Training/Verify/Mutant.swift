/// A fault that `ddp-train verify --mutant NAME` plants, to prove the proofs; for tests only.
package struct Mutant: Sendable {
  package let name: String
  package let plants: String
  /// What must find it.
  package let caughtBy: VerifyCheck
  let fault: PlantedFault

  package static func named(_ name: String) -> Mutant? { all.first { $0.name == name } }

  package static let all: [Mutant] =
    backward + gradients + samplesAndWeights + sums + steps + restores + runs

  private static let backward = [
    Mutant(
      "dense-weight-transposed", "dW of a dense layer as [units, inputs]", .denseWeightTransposed),
    Mutant(
      "convolution-weight-padding", "padding off by one in a convolution's gradient by weights",
      .convolutionWeightPaddingShifted),
    Mutant(
      "convolution-input-padding", "padding off by one in a convolution's gradient by data",
      .convolutionInputPaddingShifted),
    Mutant("activation-gradient-missing", "dx = dy at an activation", .activationGradientMissing),
    Mutant(
      "activation-gradient-mistaken", "the derivative of another function at an activation",
      .activationGradientOfAnother),
    Mutant("residual-counted-twice", "a branch's gradient added twice", .branchCountedTwice),
    Mutant("residual-lost", "a branch's gradient left out", .branchLost),
    Mutant("loss-gradient-doubled", "the gradient of 2 J", .lossGradientDoubled),
    Mutant(
      "recurrent-gradient-truncated", "no gradient through earlier steps of a recurrent layer",
      .recurrentGradientTruncated),
    Mutant(
      "recurrent-gradient-reversed", "back-propagation through time in the wrong direction",
      .recurrentGradientReversed),
    Mutant(
      "attention-gradient-unmasked", "causal attention without its mask on the way back",
      .attentionGradientUnmasked),
    Mutant(
      "memory-gradient-unmasked", "cross attention sees its memory's padding on the way back",
      .memoryGradientUnmasked),
    Mutant(
      "tied-gradient-overwritten", "the embedding's gradient written over the output layer's",
      .tiedGradientOverwritten),
    Mutant("max-pool-shifted", "windows off by one in a max pool's gradient", .poolGradientShifted),
    Mutant(
      "norm-statistics-constant", "batch norm's gradient without its mean and variance",
      .statisticsTakenAsConstants),
    Mutant(
      "dropout-other-mask", "dropout draws another mask on the way back",
      .dropoutGradientOfOtherMask),
    Mutant(
      "recomputed-other-mask", "what is computed again draws another mask than before",
      .copyDrawsOtherMask),
    Mutant(
      "concatenation-shifted", "a branch of a concatenation gets the channels beside its own",
      .concatenationGradientShifted),
    Mutant(
      "flatten-not-turned-back", "the gradient of a flattened image left channels first",
      .turnedGradientNotTurnedBack),
    Mutant(
      "state-forgotten-backward", "the gradient takes the state before a window for zeros",
      .stateForgottenBackward),
    Mutant(
      "gradient-crosses-border",
      "the gradient that reaches a window's start is added at the end of the window before",
      .gradientCrossesBorder),
    Mutant(
      "state-not-carried", "every window starts from zeros, forward and backward alike", .carry,
      .graph(.stateNotCarried)),
    Mutant(
      "state-of-first-step", "a window leaves the state of its first step, not of its last",
      .carry, .graph(.firstStateKept)),
    Mutant(
      "attention-unmasked", "attention sees later steps, forward and backward alike", .lookahead,
      .graph(.attentionUnmasked)),
  ]

  private static let gradients = [
    Mutant("weight-sign", "-dW", .gradients, .gradient(.signTurned)),
    Mutant("bias-forgotten", "db = 0", .gradients, .gradient(.biasForgotten)),
    Mutant("gamma-forgotten", "dgamma = 0 at a norm", .gradients, .gradient(.scaleForgotten)),
    Mutant(
      "mean-forgotten", "no 1/N in the gradient", .gradients, .gradient(.notDividedBySamples)),
    Mutant(
      "gradient-accumulated", "gradients added to those of the pass before", .repeat,
      .gradient(.addedToOldContent)),
    Mutant(
      "embedding-overwritten", "a token's row gets the gradient of its last place only",
      .gradients, .gradient(.embeddingRowsOverwritten)),
  ]

  private static let samplesAndWeights = [
    Mutant(
      "labels-from-one", "classes counted from 1", .data, .samples(.classesCountedFromOne)),
    Mutant("input-not-finite", "nan in an input", .data, .samples(.inputNotFinite)),
    Mutant(
      "weights-too-large", "first weights a hundred times too large", .start, .weights(.tooLarge)),
    Mutant("weights-zero", "first weights all zero", .flow, .weights(.allZero)),
  ]

  private static let sums = [
    Mutant(
      "dropout-of-rank", "dropout counts samples from the rank's first", .ranks,
      .sum(.dropoutOfRank)),
    Mutant("shard-lost", "the gradient of one shard not added", .ranks, .sum(.lastShardLost)),
    Mutant(
      "order-of-arrival", "ranks added up one after the other, the last first", .ranks,
      .sum(.inOrderOfArrival)),
    Mutant("mean-over-rank", "means over the rank's samples", .ranks, .sum(.meanOverRank)),
  ]

  private static let steps = [
    Mutant("tensor-frozen", "learning rate 0 for one tensor", .overfit, .step(.tensorStandsStill)),
    Mutant(
      "statistics-stale", "running statistics never updated", .overfit,
      .step(.statisticsStandStill)),
    Mutant("uphill", "steps along the gradient instead of against it", .overfit, .step(.uphill)),
  ]

  private static let restores = [
    Mutant(
      "optimizer-not-saved", "momentum zero after loading", .resume,
      .restore(.optimizerStateLost)),
    Mutant(
      "step-not-restored", "the step counts from 0 after loading", .resume, .restore(.stepLost)),
    Mutant(
      "statistics-not-saved", "running statistics as at the start after loading", .resume,
      .restore(.statisticsLost)),
    Mutant(
      "average-not-saved", "the average of the weights begun anew after loading", .resume,
      .restore(.averageLost)),
    Mutant(
      "states-not-saved", "carried states zero after loading", .resume, .restore(.statesLost)),
    Mutant(
      "weights-rounded", "weights saved with 16 bits", .resume, .restore(.weightsRounded)),
  ]

  private static let runs = [
    Mutant(
      "evaluation-with-dropout", "dropout at work in evaluation", .repeat,
      .run(.evaluatesWithDropout)),
    Mutant(
      "evaluation-with-batch-statistics", "batch norm takes the batch's statistics in evaluation",
      .repeat, .run(.evaluatesWithBatchStatistics)),
    Mutant("random-from-clock", "masks from the clock", .repeat, .run(.randomFromClock)),
  ]

  private init(_ name: String, _ plants: String, _ fault: GraphFault) {
    self.init(name, plants, .gradients, .graph(fault))
  }

  private init(_ name: String, _ plants: String, _ caughtBy: VerifyCheck, _ fault: PlantedFault) {
    self.name = name
    self.plants = plants
    self.caughtBy = caughtBy
    self.fault = fault
  }
}
