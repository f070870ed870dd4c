/// One step of arithmetic of the graph, forward or backward: reads values, writes values.
package struct Operation: Equatable, Sendable {
  package var kind: OperationKind
  package var inputs: [ValueID]
  package var outputs: [ValueID]
  /// The layer it belongs to, `layers.5.main.0`; for errors, traces and the printed plan.
  package var layer: String
  /// The number of the block that it lies in, of forward operations; nil: it lies in none.
  package var block: Int?
  /// Whether it does again for backward what an operation of forward has done.
  package var isRecomputed = false

  package init(_ kind: OperationKind, inputs: [ValueID], outputs: [ValueID], layer: String) {
    self.kind = kind
    self.inputs = inputs
    self.outputs = outputs
    self.layer = layer
  }
}

/// What an operation computes, with everything a kernel must know except the number of samples.
///
/// The comments give `inputs -> outputs`; `?` marks an input that may be absent. `x`, `y` are input
/// and output of the layer, `dx`, `dy` the loss's gradients with respect to them.
package enum OperationKind: Equatable, Sendable {
  /// `x, W, b? -> y`, at each of so many positions of a sample.
  case dense(inputs: Int, units: Int, positions: Int)
  /// `dy, W -> dx`
  case denseInputGradient(inputs: Int, units: Int, positions: Int)
  /// `x, dy -> dW`
  case denseWeightGradient(inputs: Int, units: Int, positions: Int)
  /// `x, W, b? -> y`
  case convolution(ConvolutionGeometry)
  /// `dy, W -> dx`
  case convolutionInputGradient(ConvolutionGeometry)
  /// `x, dy -> dW`
  case convolutionWeightGradient(ConvolutionGeometry)
  /// `dy -> db`: sums over all positions. What db has more than channels, positions that no step has, becomes 0.
  case biasGradient(channels: Int)
  /// `x -> y`
  case activation(Activation)
  /// `x?, y, dy -> dx`; x is there when the function needs it.
  case activationGradient(Activation)
  /// `x, gamma, beta -> y, mean, inverseDeviation, unbiasedVariance`
  case batchNorm(NormShape)
  /// `x, y?, dy, gamma, mean, inverseDeviation -> dx, dgamma, dbeta`; y with a fused activation.
  case batchNormGradient(NormShape)
  /// `x -> meanShare, mean, squares`: of the micro-shard's own rows.
  case batchMoments(NormShape)
  /// `batchMean, mean, squares -> squaresShare`
  case batchSquares(NormShape)
  /// `x, gamma, beta, mean, squares -> y, inverseDeviation, unbiasedVariance`; mean and squares of the whole batch.
  case wholeBatchNorm(NormShape)
  /// `x, y?, dy, mean, inverseDeviation -> shares, dgamma, dbeta`; the shares are dgamma and dbeta again.
  case wholeBatchNormShares(NormShape)
  /// `x, y?, dy, gamma, mean, inverseDeviation, sums -> dx`
  case wholeBatchNormGradient(NormShape)
  /// `mean, unbiasedVariance -> runningMeanShare, runningVarianceShare`, weighted by the shard's size.
  case batchStatistics(channels: Int)
  /// `x, gamma, beta, runningMean, runningVariance -> y`
  case batchNormInference(NormShape)
  /// `x, y?, dy, gamma, runningMean, runningVariance -> dx, dgamma, dbeta`
  case batchNormInferenceGradient(NormShape)
  /// `x, gamma, beta -> y, mean, inverseDeviation` (one pair per position)
  case layerNorm(NormShape)
  /// `x, dy, gamma, mean, inverseDeviation -> dx, dgamma, dbeta`
  case layerNormGradient(NormShape)
  /// `x -> y`
  case maxPool(PoolGeometry)
  /// `x, dy -> dx`
  case maxPoolGradient(PoolGeometry)
  case averagePool(PoolGeometry)
  /// `dy -> dx`
  case averagePoolGradient(PoolGeometry)
  /// `x -> y`, `[positions, channels] -> [channels]` per sample.
  case globalAveragePool(positions: Int, channels: Int)
  case globalAveragePoolGradient(positions: Int, channels: Int)
  /// `x -> y`; its own gradient, because the mask is recomputed from the stream's counter.
  case dropout(rate: Double, stream: String)
  case softmax(channels: Int)
  /// `y, dy -> dx`
  case softmaxGradient(channels: Int)
  /// `a, b -> y`
  case add
  case multiply
  /// `a, b, ... -> y`, side by side along the channels, whose counts are given.
  case concatenate(channels: [Int], positions: Int)
  /// `dy -> dx`, the channels `offset..<offset + count` of `total`.
  case slice(offset: Int, count: Int, total: Int, positions: Int)
  /// `dy -> dx`: the channels go to `offset..<offset + count` of `total`, the others are zero.
  case sliceGradient(offset: Int, count: Int, total: Int, positions: Int)
  /// `x -> y`, a copy through which no gradient goes.
  case stopGradient
  /// `mean and log variance -> y`, `[2 channels] -> [channels]` at each position.
  case gaussianSample(ChannelShape, stream: String)
  /// `mean and log variance, dy -> dx`; the draws are repeated from the stream's counter.
  case gaussianSampleGradient(ChannelShape, stream: String)
  /// `x -> y`: `[rows, columns]` of each sample becomes `[columns, rows]`.
  case transpose(rows: Int, columns: Int)
  /// `z, targets, weights? -> losses (one per position of a sample), dz?`; dz is divided by the true batch size and the
  /// positions, or multiplied by their weights.
  case loss(LossSpec, outputs: Int, positions: Int)
  /// `z, t? -> losses (one per sample), dz?`: one more loss beside that of the model's end; t is another layer's output,
  /// without which z is compared with the targets, if the loss compares at all.
  case lossTerm(LossTermShape)
  /// `z, targets, lengths? -> losses (one per sample), dz?`; dz is divided by the true batch size.
  case temporalLoss(TemporalShape)
  /// `z, targets, lengths? -> total` of samples whose labels are spelled right.
  case countSpelled(TemporalShape)
  /// `targets, lengths? -> weights`: what each position of a sample counts in the mean over them.
  case answerWeights(positions: Int, ignored: Int?)
  /// `total, total, ... -> total` of several losses.
  case sumShares
  /// `losses, weights? -> total`, of a sample the mean over its positions.
  case sumLosses(positions: Int)
  /// `z, targets, weights? -> total` of right answers; each position counts as a fraction of its sample.
  case countCorrect(LossSpec, outputs: Int, positions: Int)

  // Sequences.

  /// `tokens, table -> y`
  case embedding(words: Int, channels: Int)
  /// `tokens, dy, other? -> dtable`; other is what another reader says of the table's gradient.
  case embeddingGradient(words: Int, channels: Int)
  /// `x, table -> y`: a dense layer whose weights, `[units, inputs]`, are an embedding's table.
  case tiedDense(inputs: Int, units: Int, positions: Int)
  /// `x, table -> y`; the table may have more rows than there are steps.
  case addPositions(steps: Int, channels: Int)
  /// `x -> y`, a table that is not trained.
  case addSinusoidalPositions(steps: Int, channels: Int)
  /// `x -> y`; its own gradient with the other direction.
  case rotate(RotaryShape, direction: Int)
  /// `x, token -> y`: one step more, at the front.
  case prepend(steps: Int, channels: Int)
  /// `dy -> dx, dtoken`
  case prependGradient(steps: Int, channels: Int)
  /// `x -> y`, one step of a sequence.
  case step(Int, steps: Int, channels: Int)
  /// `dy -> dx`
  case stepGradient(Int, steps: Int, channels: Int)
  /// `x W_x + b_x, W, b?, h0?, c0?, lengths? -> h, memory?`; h0 and c0 are what the walk starts from, else zeros.
  case recurrence(RecurrentShape)
  /// `dh, W, h, memory?, h0?, c0?, lengths? -> d(x W_x + b_x), d(h W + b)?`
  case recurrenceGradient(RecurrentShape)
  /// `h, d(h W + b), memory?, h0? -> dW`
  case recurrenceWeightGradient(RecurrentShape)
  /// `state -> y`: what the window before left, a constant to gradients.
  case recallState(units: Int)
  /// `x -> next state`: of each sample's `total` numbers the `count` from `offset` on.
  case keepState(offset: Int, count: Int, total: Int)
  /// `q, others?, lengths?, otherLengths? -> y, logarithms`
  case attention(AttentionShape)
  /// `q, others?, lengths?, otherLengths?, y, logarithms, dy -> dq, dothers?`
  case attentionGradient(AttentionShape)
  /// `x, gamma -> y, inverse` (one per position)
  case rmsNorm(NormShape)
  /// `x, dy, gamma, inverse -> dx, dgamma`
  case rmsNormGradient(NormShape)
  /// `x -> lengths` (one per sample): the steps up to the last that has another number than the value.
  case sequenceLengths(steps: Int, channels: Int, value: Double)
  /// `lengths -> lengths`, of sequences with so many steps more at the front.
  case extendLengths(by: Int)
  /// `x, lengths -> y`: zeros behind the end; its own gradient.
  case keepSteps(steps: Int, channels: Int)
  /// `x, lengths -> y`
  case lastStep(steps: Int, channels: Int)
  /// `dy, lengths -> dx`
  case lastStepGradient(steps: Int, channels: Int)
  /// `x, lengths -> y`: the mean over the steps that count.
  case averageSteps(steps: Int, channels: Int)
  /// `dy, lengths -> dx`
  case averageStepsGradient(steps: Int, channels: Int)

  // Images.

  /// `x, s -> y`: every position of a sample times `s`, `[channels]` of that sample.
  case scaleChannels(ChannelShape)
  /// `x, dy -> ds`: sums over the positions.
  case scaleChannelsGradient(ChannelShape)
  /// `x, b -> y`: `b` is `[channels]`, the same for all samples.
  case addBias(channels: Int)
  /// `x -> y`: whole channels of a sample are zeroed; its own gradient, as that of dropout.
  case channelDropout(ChannelShape, rate: Double, stream: String)
  /// `x, gamma?, beta? -> y, mean, inverseDeviation` (one pair per sample and group)
  case groupNorm(GroupNormShape)
  /// `x, dy, gamma?, mean, inverseDeviation -> dx, dgamma?, dbeta?`
  case groupNormGradient(GroupNormShape)
  /// `x -> y, s`: s is what the power is taken of.
  case localResponseNorm(ResponseWindow)
  /// `x, s, dy -> dx`
  case localResponseNormGradient(ResponseWindow)
  /// `x -> y`
  case adaptiveAveragePool(ResizeGeometry)
  /// `dy -> dx`
  case adaptiveAveragePoolGradient(ResizeGeometry)
  /// `x -> y`; the output's extents are multiples of the input's.
  case upsample(ResizeGeometry, Interpolation)
  /// `dy -> dx`
  case upsampleGradient(ResizeGeometry, Interpolation)
  /// `x, a -> y`: a has one slope per channel, or one for all (`slopes` 1).
  case prelu(channels: Int, slopes: Int)
  /// `x, dy, a -> dx, da`
  case preluGradient(channels: Int, slopes: Int)
}

extension OperationKind {
  /// Whether it compares outputs with targets: the first output holds the losses, the second the gradient.
  package var isLoss: Bool {
    switch self {
    case .loss, .temporalLoss: true
    default: false
    }
  }

  /// Whether it is a loss of a sample that depends on the others of the micro-shard.
  package var comparesSamples: Bool {
    switch self {
    case .loss(let loss, _, _): loss.comparesSamples
    case .lossTerm(let shape): shape.kind.comparesSamples
    default: false
    }
  }

  /// Whether the first output is this rank's share of a sum over all ranks, and later operations read the sum.
  package var givesBatchShare: Bool {
    switch self {
    case .batchMoments, .batchSquares, .wholeBatchNormShares: true
    default: false
    }
  }
}

/// Channels and epsilon of a norm, and the activation that was fused into its output.
package struct NormShape: Equatable, Sendable {
  package var positions: Int
  package var channels: Int
  package var epsilon: Double
  package var activation: Activation

  package init(
    positions: Int, channels: Int, epsilon: Double, activation: Activation = .identity
  ) {
    self.positions = positions
    self.channels = channels
    self.epsilon = epsilon
    self.activation = activation
  }
}
