// Activations of small networks: piecewise, or a smooth relative of the rectifier.

extension VectorMath {
  /// `min(max(x, 0), limit)`
  @inline(__always)
  static func clamped(_ x: Vector, to limit: Self) -> Vector {
    let most = Vector(repeating: limit)
    let positive = rectified(x)
    return ifLess(most, positive, then: most, else: positive)
  }

  /// `gradient` where `0 < output < limit`, else 0.
  @inline(__always)
  static func clampedGradient(_ gradient: Vector, output: Vector, limit: Self) -> Vector {
    let inside = ifLess(output, Vector(repeating: limit), then: gradient, else: zeros)
    return ifAtMost(output, zeros, then: zeros, else: inside)
  }
}

/// Slope from the output.
struct Relu6<Number: Scalar>: Curve, Slope {
  @inline(__always)
  func value(_ x: Number.Vector) -> Number.Vector { Number.clamped(x, to: 6) }

  @inline(__always)
  func product(_ y: Number.Vector, _ gradient: Number.Vector) -> Number.Vector {
    Number.clampedGradient(gradient, output: y, limit: 6)
  }
}

/// Slope from the output.
struct HardSigmoid<Number: Scalar>: Curve, Slope {
  @inline(__always)
  func value(_ x: Number.Vector) -> Number.Vector {
    Number.clamped(x + 3, to: 6) / 6
  }

  @inline(__always)
  func product(_ y: Number.Vector, _ gradient: Number.Vector) -> Number.Vector {
    Number.clampedGradient(gradient, output: y, limit: 1) / 6
  }
}

/// Slope from the input: 0 up to -3, `x / 3 + 1 / 2`, 1 from 3.
struct HardSwish<Number: Scalar>: Curve, Slope {
  @inline(__always)
  func value(_ x: Number.Vector) -> Number.Vector {
    x * Number.clamped(x + 3, to: 6) / 6
  }

  @inline(__always)
  func product(_ x: Number.Vector, _ gradient: Number.Vector) -> Number.Vector {
    let (low, high) = (Number.Vector(repeating: -3), Number.Vector(repeating: 3))
    let rising = Number.ifLess(x, high, then: gradient * (x / 3 + 0.5), else: gradient)
    return Number.ifAtMost(x, low, then: Number.zeros, else: rising)
  }
}

/// Slope from the output: `1 - e^-y`.
struct Softplus<Number: Scalar>: Curve, Slope {
  @inline(__always)
  func value(_ x: Number.Vector) -> Number.Vector {
    Number.rectified(x)
      + Number.logarithmOfOnePlus(Number.exponential(-Number.magnitude(x)))
  }

  @inline(__always)
  func product(_ y: Number.Vector, _ gradient: Number.Vector) -> Number.Vector {
    gradient * -Number.exponentialMinusOne(-y)
  }
}
