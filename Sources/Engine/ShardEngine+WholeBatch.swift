import Graph
import Kernels
import Storage

// Batch norm with the statistics of the whole batch. Between its operations the plan sums their first outputs over all
// ranks; where the micro-shard is the whole batch, they are the sums already.

extension ShardEngine {
  func runWholeBatchNorm(_ index: Int) {
    switch operations[index].kind {
    case .batchMoments(let shape):
      batchMoments(
        input: input(index, 0), rows: rows * shape.positions, channels: shape.channels,
        share: S(rows) / S(batchSize), meanShare: output(index), mean: output(index, 1),
        squares: output(index, 2))
    case .batchSquares(let shape):
      batchSquares(
        batchMean: input(index, 0), mean: input(index, 1), squares: input(index, 2),
        rows: rows * shape.positions, channels: shape.channels, into: output(index))
    case .wholeBatchNorm(let shape):
      wholeBatchNorm(
        input: input(index, 0), rows: rows * shape.positions, channels: shape.channels,
        gamma: input(index, 1), beta: input(index, 2), mean: input(index, 3),
        squares: input(index, 4), batchRows: batchSize * shape.positions,
        epsilon: S(shape.epsilon), activation: shape.activation, into: output(index),
        inverseDeviation: output(index, 1), unbiasedVariance: output(index, 2))
    case .wholeBatchNormShares(let shape): runShares(index, shape)
    case .wholeBatchNormGradient(let shape): runGradient(index, shape)
    default: preconditionFailure("\(operations[index].kind.name) is no norm of a whole batch")
    }
  }

  private func runShares(_ index: Int, _ shape: NormShape) {
    let fused = inputCount(index) == 5 ? 1 : 0
    wholeBatchNormShares(
      input: input(index, 0), output: fused == 1 ? input(index, 1) : nil,
      outputGradient: input(index, 1 + fused), rows: rows * shape.positions,
      channels: shape.channels, mean: input(index, 2 + fused),
      inverseDeviation: input(index, 3 + fused), activation: shape.activation,
      into: output(index), gammaGradient: output(index, 1), betaGradient: output(index, 2))
  }

  private func runGradient(_ index: Int, _ shape: NormShape) {
    let fused = inputCount(index) == 7 ? 1 : 0
    wholeBatchNormGradient(
      input: input(index, 0), output: fused == 1 ? input(index, 1) : nil,
      outputGradient: input(index, 1 + fused), rows: rows * shape.positions,
      channels: shape.channels, gamma: input(index, 2 + fused), mean: input(index, 3 + fused),
      inverseDeviation: input(index, 4 + fused), sums: input(index, 5 + fused),
      batchRows: batchSize * shape.positions, activation: shape.activation, into: output(index))
  }
}
