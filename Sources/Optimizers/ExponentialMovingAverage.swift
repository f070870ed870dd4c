import Kernels
import Storage

/// A slowly following copy of the weights that often generalises better than the weights themselves.
///
/// ```text
/// average = d * average + (1 - d) * weights     with d = min(decay, (1 + t) / (10 + t))
/// ```
/// It starts at the first weights, without bias correction; the smaller decay of the first steps `t`
/// (from 1) lets it forget them.
///
/// Source: Polyak and Juditsky, SIAM J. Control Optim. 30, 1992; the growing decay is TensorFlow's
/// `ExponentialMovingAverage(num_updates:)`.
package final class ExponentialMovingAverage<S: Scalar> {
  package let decay: Double
  private let memory: SharedMemory<S>

  package convenience init(decay: Double, parameterCount: Int) {
    self.init(decay: decay, memory: SharedMemory(alone: parameterCount))
  }

  /// - Parameter memory: Its first part is used, one element per parameter; other ranks may see it.
  package init(decay: Double, memory: SharedMemory<S>) {
    self.decay = decay
    self.memory = memory
  }

  /// The averaged weights, laid out like the parameter buffer: for evaluation, export and checkpoints.
  package var average: Block<S> { memory.parts[0] }

  /// Takes over the first weights, the whole buffer.
  package func start(from weights: Block<S>) {
    average.copy(from: weights)
  }

  /// Follows the weights of one stretch after their update; allocates nothing.
  ///
  /// - Parameters:
  ///   - weights: The weights of `range`, `[range.count]`.
  ///   - step: From 1.
  package func update(_ range: Range<Int>, weights: Block<S>, step: Int) {
    precondition(weights.count == range.count, "\(weights.count) weights for \(range)")
    exponentialAverage(weights: weights, decay: decay(atStep: step), into: average[range])
  }

  package func decay(atStep step: Int) -> Double {
    min(decay, Double(1 + step) / Double(10 + step))
  }
}
