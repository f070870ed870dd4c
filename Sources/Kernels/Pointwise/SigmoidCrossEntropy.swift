import Storage

// Shapes: R rows (samples), C channels (outputs). A row's bits do not depend on the other rows.

/// Cross-entropy of independent yes/no outputs and its gradient, from logits:
/// `losses[r] = (1 / C) * sum over c of w[c] * t * softplus(-z) + (1 - t) * softplus(z)`.
///
/// `softplus(z) = max(z, 0) + ln(1 + e^-|z|)`, so nothing overflows and nothing cancels.
///
/// - Parameters:
///   - logits: z, `[R, C]`.
///   - targets: t, `[R, C]`, from 0 to 1.
///   - positiveWeights: w, `[C]`, PyTorch's `pos_weight`; nil: 1.
///   - scale: Factor of the gradient, 1 / batch for the gradient of the batch's mean.
///   - losses: `[R]`, written, not scaled.
///   - gradient: `[R, C]`, `scale / C * ((1 - t) * sigmoid(z) - w * t * sigmoid(-z))`; may be the same
///     block as `logits`; nil: not wanted.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func sigmoidCrossEntropy<S: Scalar>(
  logits: Block<S>, targets: Block<S>, rows: Int, channels: Int, positiveWeights: Block<S>?,
  scale: S, losses: Block<S>, gradient: Block<S>?
) {
  @inline(never) func run() {
    let weights = positiveWeights?.base
    @inline(__always)
    func term(_ z: S.Vector, _ t: S.Vector, _ channel: Int) -> LossTerm<S.Vector> {
      S.binaryLoss(z, yes: weights.map { t * $0.vector(at: channel) } ?? t, no: 1 - t)
    }
    elementLoss(logits, targets, rows, channels, scale, losses, gradient, term)
  }
  run()
}

extension VectorMath {
  /// `yes * softplus(-z) + no * softplus(z)` and its slope.
  @inline(__always)
  static func binaryLoss(_ z: Vector, yes: Vector, no: Vector) -> LossTerm<Vector> {
    let one = Vector(repeating: 1)
    let small = exponential(-magnitude(z))
    let rest = logarithmOfOnePlus(small)
    let share = one / (one + small)
    let towardsYes = ifLess(z, zeros, then: small * share, else: share)
    let towardsNo = ifLess(z, zeros, then: share, else: small * share)
    return LossTerm(
      value: yes * (rectified(-z) + rest) + no * (rectified(z) + rest),
      slope: no * towardsYes - yes * towardsNo)
  }
}
