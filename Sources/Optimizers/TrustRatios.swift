import Kernels
import Storage

/// The norms that LARS and LAMB need before any weight moves, and what follows from them: a factor
/// for the learning rate of each tensor.
///
/// ```text
/// LARS: ratio = trust ||w|| / (||g|| + weightDecay ||w||)
/// LAMB: ratio = ||w|| / ||m^ / (sqrt(v^) + epsilon) + weightDecay w||
/// ```
/// 1 where a norm is zero, and for the tensors that are spared. Sums of squares are formed in Double:
/// within each of `NormBlocks` in an order that its length decides, then block after block.
struct TrustRatios<S: Scalar> {
  let blocks: NormBlocks
  /// Two numbers per block, `[block, 2]`: the sums of the squares of weights and of directions.
  var sums: Block<Double> { memory.parts[0] }
  private let memory: SharedMemory<Double>
  /// Where a pass leaves the directions of a block until they are summed, `[NormBlocks.size]`.
  let direction = AlignedMemory<S>(count: NormBlocks.size)
  private var ratios: [Double]
  /// The step that `ratios` are of.
  private(set) var step = 0

  /// - Parameter sums: nil: memory of its own.
  init(_ blocks: NormBlocks, sums: SharedMemory<Double>? = nil) {
    self.blocks = blocks
    memory = sums ?? SharedMemory(alone: 2 * blocks.ranges.count)
    ratios = Array(repeating: 1, count: blocks.tensors.count)
  }

  /// Sums up one block of which `direction` holds the directions.
  func measure(_ block: Int, weights: Block<S>) {
    sums[2 * block] = sumOfSquares(weights)
    sums[2 * block + 1] = sumOfSquares(direction.block.prefix(weights.count))
  }

  /// The factor for a tensor's learning rate in step `step`.
  func ratio(ofTensor tensor: Int, step: Int) -> Double {
    precondition(self.step == step, "ratios of step \(self.step) in step \(step)")
    return ratios[tensor]
  }

  /// Turns the sums of all blocks into ratios.
  mutating func combine(_ runs: [ParameterRun], rule: UpdateRule, step: Int) {
    for run in runs where run.hyper.isLayerwise {
      let norms = norms(ofTensor: run.tensor)
      ratios[run.tensor] = rule.trustRatio(
        weights: norms.weights, direction: norms.direction, weightDecay: run.hyper.weightDecay)
    }
    self.step = step
  }

  private func norms(ofTensor tensor: Int) -> (weights: Double, direction: Double) {
    var (weights, direction) = (0.0, 0.0)
    for block in blocks.tensors[tensor] {
      weights += sums[2 * block]
      direction += sums[2 * block + 1]
    }
    return (weights.squareRoot(), direction.squareRoot())
  }
}

extension UpdateRule {
  /// - Parameters:
  ///   - weights: `||w||` of a tensor.
  ///   - direction: `||g||` for LARS, the norm of the whole direction for LAMB.
  func trustRatio(weights: Double, direction: Double, weightDecay: Double) -> Double {
    guard weights > 0, direction > 0 else { return 1 }
    switch self {
    case .lars(_, let trust): return trust * weights / (direction + weightDecay * weights)
    case .lamb: return weights / direction
    default: return 1
    }
  }
}
