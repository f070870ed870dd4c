/// What Adam and LAMB are told for step `t`: decay of both averages, `epsilon`, and what the averages,
/// started at 0, have reached of their target, `1 - beta^t`.
package struct AdamConstants: Equatable, Sendable {
  package let beta1: Double
  package let beta2: Double
  package let epsilon: Double
  package let meanCorrection: Double
  package let squareCorrection: Double

  /// - Parameter step: `t`, counted from 1.
  package init(beta1: Double, beta2: Double, epsilon: Double, step: Int) {
    precondition(step > 0, "step \(step): Adam counts from 1")
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    meanCorrection = 1 - power(beta1, step)
    squareCorrection = 1 - power(beta2, step)
  }
}

/// `AdamConstants` in the kernel's precision, one copy in registers for a whole pass.
struct AdamFactors<S: Scalar> {
  private let meanKept: S
  private let meanAdded: S
  private let squareKept: S
  private let squareAdded: S
  private let meanFactor: S
  private let rootFactor: S
  private let epsilon: S

  @inline(__always)
  init(_ constants: AdamConstants) {
    meanKept = S(constants.beta1)
    meanAdded = S(1 - constants.beta1)
    squareKept = S(constants.beta2)
    squareAdded = S(1 - constants.beta2)
    meanFactor = S(1 / constants.meanCorrection)
    rootFactor = S(1 / constants.squareCorrection.squareRoot())
    epsilon = S(constants.epsilon)
  }

  /// `beta1 m + (1 - beta1) g`
  @inline(__always)
  func mean(_ mean: S, taking gradient: S) -> S {
    (mean * meanKept).addingProduct(gradient, meanAdded)
  }

  /// `beta2 v + (1 - beta2) g^2`
  @inline(__always)
  func square(_ square: S, taking gradient: S) -> S {
    (square * squareKept).addingProduct(gradient * gradient, squareAdded)
  }

  /// `m^ / (sqrt(v^) + epsilon)`
  @inline(__always)
  func direction(mean: S, square: S) -> S {
    mean * meanFactor / (square.squareRoot() * rootFactor + epsilon)
  }
}

/// `base ^ exponent` by repeated squaring.
private func power(_ base: Double, _ exponent: Int) -> Double {
  var (result, square, rest) = (1.0, base, exponent)
  while rest > 0 {
    if rest & 1 == 1 { result *= square }
    square *= square
    rest >>= 1
  }
  return result
}
