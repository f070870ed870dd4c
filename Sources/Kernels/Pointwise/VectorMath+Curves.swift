// Functions made of the requirements of VectorMath, the same source for Float and Double.

extension VectorMath {
  @inline(__always) static var lanes: Int { Vector.scalarCount }

  @inline(__always)
  static func isNegative(_ x: Vector) -> Mask { isLess(x, than: Vector(repeating: 0)) }

  @inline(__always)
  static func isPositive(_ x: Vector) -> Mask { isLess(Vector(repeating: 0), than: x) }

  /// The larger of two numbers, lane by lane; `b` where it is not a number.
  @inline(__always)
  static func larger(_ a: Vector, _ b: Vector) -> Vector {
    b.replacing(with: a, where: isLess(b, than: a))
  }

  /// `max(x, 0)` that lets not-a-number through.
  @inline(__always)
  static func rectified(_ x: Vector) -> Vector {
    x.replacing(with: Vector(repeating: 0), where: isNegative(x))
  }

  /// The gradient by the input of a rectifier with this output; not-a-number lets it through.
  @inline(__always)
  static func rectifiedGradient(_ gradient: Vector, output: Vector) -> Vector {
    let zero = Vector(repeating: 0)
    let isOff = isLess(output, than: zero) .| isEqual(output, to: zero)
    return gradient.replacing(with: zero, where: isOff)
  }

  /// `1 / (1 + e^-x)` without overflow: the exponent is never positive.
  ///
  /// Error: at most 3 ulp in Float.
  @inline(__always)
  static func sigmoid(_ x: Vector) -> Vector {
    let one = Vector(repeating: 1)
    let small = exponential(-magnitude(x))
    return one.replacing(with: small, where: isNegative(x)) / (one + small)
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
    return half.addingProduct(half, errorFunction(x * 0.707_106_781_186_547_5))
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
      x * root * one.addingProduct(square, Vector(repeating: 0.044715)),
      one.addingProduct(square, Vector(repeating: 0.134145)) * root
    )
  }
}
