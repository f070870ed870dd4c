import Graph
import Kernels
import Storage

extension ShardEngine {
  func runNorm(_ index: Int) {
    switch operations[index].kind {
    case .batchNorm(let shape):
      batchNorm(
        input: input(index, 0), rows: rows * shape.positions, channels: shape.channels,
        gamma: input(index, 1), beta: input(index, 2), epsilon: S(shape.epsilon),
        activation: shape.activation, into: output(index), mean: output(index, 1),
        inverseDeviation: output(index, 2), unbiasedVariance: output(index, 3))
    case .batchNormGradient(let shape): runBatchNormGradient(index, shape)
    case .batchStatistics(let channels): runBatchStatistics(index, channels)
    case .batchNormInference(let shape):
      batchNormInference(
        input: input(index, 0), rows: rows * shape.positions, channels: shape.channels,
        gamma: input(index, 1), beta: input(index, 2), runningMean: input(index, 3),
        runningVariance: input(index, 4), epsilon: S(shape.epsilon),
        activation: shape.activation, into: output(index))
    case .batchNormInferenceGradient(let shape): runBatchNormInferenceGradient(index, shape)
    case .layerNorm(let shape):
      layerNorm(
        input: input(index, 0), rows: rows * shape.positions, channels: shape.channels,
        gamma: input(index, 1), beta: input(index, 2), epsilon: S(shape.epsilon),
        into: output(index), mean: output(index, 1), inverseDeviation: output(index, 2))
    case .layerNormGradient(let shape):
      layerNormGradient(
        input: input(index, 0), outputGradient: input(index, 1), rows: rows * shape.positions,
        channels: shape.channels, gamma: input(index, 2), mean: input(index, 3),
        inverseDeviation: input(index, 4), into: output(index), gammaGradient: output(index, 1),
        betaGradient: output(index, 2))
    default: preconditionFailure("\(operations[index].kind.name) is no norm")
    }
  }

  private func runBatchNormGradient(_ index: Int, _ shape: NormShape) {
    let fused = inputCount(index) == 6 ? 1 : 0
    batchNormGradient(
      input: input(index, 0), output: fused == 1 ? input(index, 1) : nil,
      outputGradient: input(index, 1 + fused), rows: rows * shape.positions,
      channels: shape.channels, gamma: input(index, 2 + fused), mean: input(index, 3 + fused),
      inverseDeviation: input(index, 4 + fused), activation: shape.activation,
      into: output(index), gammaGradient: output(index, 1), betaGradient: output(index, 2))
  }

  private func runBatchNormInferenceGradient(_ index: Int, _ shape: NormShape) {
    let fused = inputCount(index) == 6 ? 1 : 0
    batchNormInferenceGradient(
      input: input(index, 0), output: fused == 1 ? input(index, 1) : nil,
      outputGradient: input(index, 1 + fused), rows: rows * shape.positions,
      channels: shape.channels, gamma: input(index, 2 + fused),
      runningMean: input(index, 3 + fused), runningVariance: input(index, 4 + fused),
      epsilon: S(shape.epsilon), activation: shape.activation, into: output(index),
      gammaGradient: output(index, 1), betaGradient: output(index, 2))
  }

  /// A micro-shard's statistics count by its share of the batch.
  private func runBatchStatistics(_ index: Int, _ channels: Int) {
    let share = S(rows) / S(batchSize)
    for position in 0..<2 {
      let source = input(index, position)
      let target = output(index, position)
      for channel in 0..<channels { target[channel] = source[channel] * share }
    }
  }
}
