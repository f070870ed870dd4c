import Kernels
import Storage

/// The rules once more, as a textbook writes them: one weight at a time, in Double.
enum ReferenceRule: String, CaseIterable, Sendable {
  case gradient, exponentialMomentum, momentum, nesterov, rmsprop, adagrad, adam
}

struct ReferenceWeight {
  var w: Double
  var slot0 = 0.0
  var slot1 = 0.0

  mutating func update(_ rule: ReferenceRule, gradient: Double, step: Int, _ terms: UpdateTerms) {
    let clipped = min(max(gradient * terms.gradientScale, -terms.clipValue), terms.clipValue)
    let sign = w == 0 ? 0.0 : (w < 0 ? -1.0 : 1.0)
    let g = clipped + terms.l2 * w + terms.l1 * sign
    let a = terms.learningRate
    w = w - a * terms.weightDecay * w - a * direction(rule, g, step)
  }

  private mutating func direction(_ rule: ReferenceRule, _ g: Double, _ step: Int) -> Double {
    switch rule {
    case .gradient: return g
    case .exponentialMomentum:
      slot0 = 0.9 * slot0 + 0.1 * g
      return slot0
    case .momentum:
      slot0 = 0.9 * slot0 + g
      return slot0
    case .nesterov:
      slot0 = 0.9 * slot0 + g
      return g + 0.9 * slot0
    case .rmsprop:
      slot0 = 0.9 * slot0 + 0.1 * g * g
      return g / (slot0.squareRoot() + 1e-3)
    case .adagrad:
      slot0 += g * g
      return g / (slot0.squareRoot() + 1e-3)
    case .adam:
      slot0 = 0.9 * slot0 + 0.1 * g
      slot1 = 0.99 * slot1 + 0.01 * g * g
      let (powers0, powers1) = (0..<step).reduce((1.0, 1.0)) { p, _ in (p.0 * 0.9, p.1 * 0.99) }
      return slot0 / (1 - powers0) / ((slot1 / (1 - powers1)).squareRoot() + 1e-3)
    }
  }
}

/// The kernel that a reference rule stands for, with the same constants.
func update<S: Scalar>(
  _ rule: ReferenceRule, weights: Block<S>, gradient: Block<S>, slot0: Block<S>, slot1: Block<S>,
  step: Int, terms: UpdateTerms
) {
  switch rule {
  case .gradient:
    updateByGradient(weights: weights, gradient: gradient, terms: terms)
  case .exponentialMomentum:
    updateByExponentialMomentum(
      weights: weights, gradient: gradient, momentum: slot0, beta: 0.9, terms: terms)
  case .momentum, .nesterov:
    updateByMomentum(
      weights: weights, gradient: gradient, momentum: slot0, beta: 0.9,
      nesterov: rule == .nesterov, terms: terms)
  case .rmsprop:
    updateByRMSprop(
      weights: weights, gradient: gradient, squareAverage: slot0, beta: 0.9, epsilon: 1e-3,
      terms: terms)
  case .adagrad:
    updateByAdagrad(
      weights: weights, gradient: gradient, squareSum: slot0, epsilon: 1e-3, terms: terms)
  case .adam:
    updateByAdam(
      weights: weights, gradient: gradient, mean: slot0, square: slot1,
      constants: AdamConstants(beta1: 0.9, beta2: 0.99, epsilon: 1e-3, step: step), terms: terms)
  }
}
