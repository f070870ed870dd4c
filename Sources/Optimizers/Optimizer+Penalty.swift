import Kernels
import Storage

extension Optimizer {
  /// Adds the gradient of the penalties, `l2 * w + l1 * sign(w)`: what `update` adds by itself.
  ///
  /// - Parameters:
  ///   - weights: The whole parameter buffer.
  ///   - gradient: Laid out alike.
  package func addPenaltyGradient(weights: Block<S>, into gradient: Block<S>) {
    for run in runs where run.hyper.l2 != 0 || run.hyper.l1 != 0 {
      for index in run.range {
        let weight = weights[index]
        let sign: S = weight > 0 ? 1 : weight < 0 ? -1 : 0
        gradient[index] += S(run.hyper.l2) * weight + S(run.hyper.l1) * sign
      }
    }
  }
}
