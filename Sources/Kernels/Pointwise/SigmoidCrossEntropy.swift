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
  if let positiveWeights {
    elementLoss(logits, targets, rows, channels, scale, losses, gradient) { z, t, channel in
      S.binaryLoss(z, yes: t * positiveWeights.base.vector(at: channel), no: 1 - t)
    }
  } else {
    elementLoss(logits, targets, rows, channels, scale, losses, gradient) { z, t, _ in
      S.binaryLoss(z, yes: t, no: 1 - t)
    }
  }
}

extension VectorMath {
  /// `yes * softplus(-z) + no * softplus(z)` and its slope.
  @inline(__always)
  static func binaryLoss(_ z: Vector, yes: Vector, no: Vector) -> LossTerm<Vector> {
    let one = Vector(repeating: 1)
    let small = exponential(-magnitude(z))
    let rest = logarithmOfOnePlus(small)
    let share = one / (one + small)
    let isBelow = isNegative(z)
    let towardsYes = share.replacing(with: small * share, where: isBelow)
    let towardsNo = (small * share).replacing(with: share, where: isBelow)
    return LossTerm(
      value: yes * (rectified(-z) + rest) + no * (rectified(z) + rest),
      slope: no * towardsYes - yes * towardsNo)
  }
}
