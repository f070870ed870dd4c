/// A fault planted into what is proven, to see whether the proofs find it.
enum PlantedFault: Sendable {
  /// In the gradients of all plans of a step.
  case graph(GraphFault)
  /// In the gradients of a pass, after it.
  case gradient(GradientFault)
  case samples(SampleFault)
  case weights(WeightFault)
  case sum(SumFault)
  case step(StepFault)
  case restore(RestoreFault)
  case run(RunFault)
}

enum GradientFault: Sendable {
  /// Of the first weights.
  case signTurned
  case biasForgotten
  case scaleForgotten
  /// As if the loss were the sum over the samples.
  case notDividedBySamples
  /// Gradients are added to what was there.
  case addedToOldContent
  /// Of a token that occurs several times only the last place counts.
  case embeddingRowsOverwritten
}

enum SampleFault: Sendable {
  case classesCountedFromOne
  case inputNotFinite
}

enum WeightFault: Sendable {
  case tooLarge
  /// Of all but the last layer.
  case allZero
}

enum SumFault: Sendable {
  case dropoutOfRank
  case lastShardLost
  case inOrderOfArrival
  case meanOverRank
}

enum StepFault: Sendable {
  case tensorStandsStill
  case statisticsStandStill
  case uphill
}

enum RestoreFault: Sendable {
  case optimizerStateLost
  case stepLost
  case statisticsLost
  case averageLost
  /// What layers carry from window to window.
  case statesLost
  case weightsRounded
}

enum RunFault: Sendable {
  case evaluatesWithDropout
  case evaluatesWithBatchStatistics
  case randomFromClock
}
