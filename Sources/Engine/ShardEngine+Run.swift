import Graph
import Kernels
import Randomness
import Storage

extension ShardEngine {
  /// Runs one operation on the micro-shard in hand.
  package func run(_ index: Int) {
    let kind = operations[index].kind
    switch kind {
    case .dense, .denseInputGradient, .denseWeightGradient, .convolution,
      .convolutionInputGradient, .convolutionWeightGradient, .biasGradient:
      runLinear(index)
    case .batchNorm, .batchNormGradient, .batchStatistics, .batchNormInference,
      .batchNormInferenceGradient, .layerNorm, .layerNormGradient:
      runNorm(index)
    case .batchMoments, .batchSquares, .wholeBatchNorm, .wholeBatchNormShares,
      .wholeBatchNormGradient:
      runWholeBatchNorm(index)
    case .maxPool, .maxPoolGradient, .averagePool, .averagePoolGradient, .globalAveragePool,
      .globalAveragePoolGradient:
      runPool(index)
    case .scaleChannels, .scaleChannelsGradient, .addBias, .channelDropout, .groupNorm,
      .groupNormGradient, .localResponseNorm, .localResponseNormGradient, .adaptiveAveragePool,
      .adaptiveAveragePoolGradient, .upsample, .upsampleGradient, .prelu, .preluGradient:
      runImages(index)
    case .loss, .temporalLoss, .lossTerm, .answerWeights, .sumLosses, .sumShares, .countCorrect,
      .countSpelled:
      runLoss(index)
    case .embedding, .embeddingGradient, .tiedDense, .addPositions, .addSinusoidalPositions,
      .rotate, .prepend, .prependGradient, .step, .stepGradient, .recurrence, .recurrenceGradient,
      .recurrenceWeightGradient, .recallState, .keepState, .attention, .attentionGradient, .rmsNorm,
      .rmsNormGradient:
      runSequence(index)
    case .sequenceLengths, .extendLengths, .keepSteps, .lastStep, .lastStepGradient, .averageSteps,
      .averageStepsGradient:
      runLengths(index)
    default: runElementwise(index)
    }
  }

  /// The block of the operation's n-th input or output.
  func input(_ operation: Int, _ position: Int) -> Block<S> {
    block(operations[operation].inputs[position])
  }

  func output(_ operation: Int, _ position: Int = 0) -> Block<S> {
    block(operations[operation].outputs[position])
  }

  func inputCount(_ operation: Int) -> Int { operations[operation].inputs.count }

  /// Where the operation's random draws come from.
  func stream(_ operation: Int) -> Philox {
    guard let stream = streams[operation] else {
      preconditionFailure("\(operations[operation].kind.name) without a stream")
    }
    return stream
  }

  private func runElementwise(_ index: Int) {
    let y = output(index)
    let x = input(index, 0)
    switch operations[index].kind {
    case .activation(let activation): applyActivation(activation, input: x, into: y)
    case .activationGradient(let activation):
      let hasInput = inputCount(index) == 3
      activationGradient(
        activation, input: hasInput ? x : nil, output: input(index, hasInput ? 1 : 0),
        outputGradient: input(index, hasInput ? 2 : 1), into: y)
    case .softmax(let channels):
      softmax(input: x, rows: x.count / channels, channels: channels, into: y)
    case .softmaxGradient(let channels):
      softmaxGradient(
        output: x, outputGradient: input(index, 1), rows: x.count / channels, channels: channels,
        into: y)
    case .dropout(let rate, _):
      dropout(
        input: x, rows: rows, channels: x.count / max(rows, 1), rate: rate, stream: stream(index),
        step: step, firstSample: firstSample, into: y)
    case .add: addBlocks(x, input(index, 1), into: y)
    case .multiply: multiplyBlocks(x, input(index, 1), into: y)
    case .concatenate(let channels, let positions):
      runConcatenate(index, channels: channels, positions: positions)
    case .slice(let offset, let count, let total, let positions):
      copyColumns(
        from: x, rows: rows * positions, sourceChannels: total, sourceOffset: offset, into: y,
        targetChannels: count, targetOffset: 0, count: count, accumulate: false)
    case .sliceGradient(let offset, let count, let total, let positions):
      y.fill(0)
      copyColumns(
        from: x, rows: rows * positions, sourceChannels: count, sourceOffset: 0, into: y,
        targetChannels: total, targetOffset: offset, count: count, accumulate: false)
    case .stopGradient: y.copy(from: x)
    case .gaussianSample(let shape, _):
      gaussianSample(
        input: x, rows: rows, positions: shape.positions, channels: shape.channels,
        stream: stream(index), step: step, firstSample: firstSample, into: y)
    case .gaussianSampleGradient(let shape, _):
      gaussianSampleGradient(
        input: x, outputGradient: input(index, 1), rows: rows, positions: shape.positions,
        channels: shape.channels, stream: stream(index), step: step, firstSample: firstSample,
        into: y)
    case .transpose(let rowCount, let columns):
      transpose(x, samples: rows, rows: rowCount, columns: columns, into: y)
    default: preconditionFailure("\(operations[index].kind.name) is not elementwise")
    }
  }

  private func runConcatenate(_ index: Int, channels: [Int], positions: Int) {
    let y = output(index)
    let total = y.count / max(rows * positions, 1)
    var offset = 0
    for position in channels.indices {
      let count = channels[position]
      copyColumns(
        from: input(index, position), rows: rows * positions, sourceChannels: count,
        sourceOffset: 0, into: y, targetChannels: total, targetOffset: offset, count: count,
        accumulate: false)
      offset += count
    }
  }
}
