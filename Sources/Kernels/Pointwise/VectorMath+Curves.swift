// Functions made of the requirements of VectorMath, the same source for Float and Double.

extension VectorMath {
  @inline(__always) static var lanes: Int { Vector.scalarCount }

  @inline(__always) static var zeros: Vector { Vector(repeating: 0) }

  /// The larger of two numbers, lane by lane; `b` where one is not a number.
  @inline(__always)
  static func larger(_ a: Vector, _ b: Vector) -> Vector { ifLess(b, a, then: a, else: b) }

  /// `max(x, 0)`
  @inline(__always)
  static func rectified(_ x: Vector) -> Vector { ifLess(x, zeros, then: zeros, else: x) }

  /// The gradient by the input of a rectifier with this output.
  @inline(__always)
  static func rectifiedGradient(_ gradient: Vector, output: Vector) -> Vector {
    ifAtMost(output, zeros, then: zeros, else: gradient)
  }

  /// `1 / (1 + e^-x)` without overflow: the exponent is never positive.
  ///
  /// Error: at most 3 ulp in Float.
  @inline(__always)
  static func sigmoid(_ x: Vector) -> Vector {
    let one = Vector(repeating: 1)
    let small = exponential(-magnitude(x))
    return ifLess(x, zeros, then: small, else: one) / (one + small)
  }

  /// `ln(1 + x)` for x >= 0: the logarithm of the rounded sum, corrected by what rounding took away.
  ///
  /// Error: at most 3 ulp in Float.
  @inline(__always)
  static func logarithmOfOnePlus(_ x: Vector) -> Vector {
    let one = Vector(repeating: 1)
    let sum = one + x
    return logarithm(sum) + (x - (sum - one)) / sum
  }

  /// `Phi(x) = (1 + erf(x / sqrt 2)) / 2`
  @inline(__always)
  static func normalDistribution(_ x: Vector) -> Vector {
    let half = Vector(repeating: 0.5)
    return multiplyAdd(half, errorFunction(x * 0.707_106_781_186_547_5), half)
  }

  /// `phi(x) = e^(-x^2 / 2) / sqrt(2 pi)`
  @inline(__always)
  static func normalDensity(_ x: Vector) -> Vector {
    exponential(x * x * -0.5) * 0.398_942_280_401_432_7
  }

  /// `u = sqrt(2 / pi) * (x + 0.044715 x^3)` and `du / dx`.
  ///
  /// Source: Hendrycks and Gimpel, "Gaussian error linear units", 2016, section 2.
  @inline(__always)
  static func geluArgument(_ x: Vector) -> (value: Vector, slope: Vector) {
    let root: Self = 0.797_884_560_802_865_4
    let one = Vector(repeating: 1)
    let square = x * x
    return (
      x * root * multiplyAdd(square, Vector(repeating: 0.044715), one),
      multiplyAdd(square, Vector(repeating: 0.134145), one) * root
    )
  }
}
