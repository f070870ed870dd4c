/// What surrounds every update rule: how the gradient is prepared and how far the weights move.
///
/// In this order, for each weight `w` with gradient `g`:
/// ```text
/// g = clamp(gradientScale * g, -clipValue, clipValue) + l2 * w + l1 * sign(w)
/// w = w * (1 - learningRate * weightDecay) - learningRate * (the rule's direction for g)
/// ```
/// Clipping sees the data's gradient only; penalties are added to what it lets through, as when
/// PyTorch's `clip_grad_norm_` runs before an optimizer that has `weight_decay`.
package struct UpdateTerms: Equatable, Sendable {
  package var learningRate: Double
  /// Factor for the gradient; less than 1 where its norm was clipped.
  package var gradientScale = 1.0
  /// Largest magnitude of a scaled gradient element.
  package var clipValue = Double.infinity
  package var l2 = 0.0
  package var l1 = 0.0
  /// Decoupled decay.
  package var weightDecay = 0.0

  package init(learningRate: Double) {
    self.learningRate = learningRate
  }
}

/// `UpdateTerms` in the kernel's precision, one copy in registers for a whole pass.
struct UpdateFactors<S: Scalar> {
  let gradientScale: S
  let clipValue: S
  let l2: S
  let l1: S
  let kept: S
  let learningRate: S

  @inline(__always)
  init(_ terms: UpdateTerms) {
    gradientScale = S(terms.gradientScale)
    clipValue = S(terms.clipValue)
    l2 = S(terms.l2)
    l1 = S(terms.l1)
    kept = S(1 - terms.learningRate * terms.weightDecay)
    learningRate = S(terms.learningRate)
  }

  @inline(__always)
  func prepared(_ gradient: S, weight: S) -> S {
    let scaled = gradient * gradientScale
    let lowered = scaled > clipValue ? clipValue : scaled
    let clipped = lowered < -clipValue ? -clipValue : lowered
    let sign: S = weight > 0 ? 1 : (weight < 0 ? -1 : 0)
    return clipped.addingProduct(weight, l2).addingProduct(sign, l1)
  }

  @inline(__always)
  func moved(_ weight: S, along direction: S) -> S {
    (weight * kept).addingProduct(direction, -learningRate)
  }
}
