// The activations as types: a method that is always inlined costs nothing, a closure may cost a call.

/// A function of one vector.
protocol Curve<Number> {
  associatedtype Number: Scalar
  func value(_ x: Number.Vector) -> Number.Vector
}

/// A curve whose slope is computed from a point: from the input or from the output, as the curve says.
protocol Slope<Number> {
  associatedtype Number: Scalar
  /// `f' * gradient`
  func product(_ point: Number.Vector, _ gradient: Number.Vector) -> Number.Vector
}

/// Slope from the output.
struct Sigmoid<Number: Scalar>: Curve, Slope {
  @inline(__always)
  func value(_ x: Number.Vector) -> Number.Vector { Number.sigmoid(x) }

  @inline(__always)
  func product(_ y: Number.Vector, _ gradient: Number.Vector) -> Number.Vector {
    gradient * (y * (1 - y))
  }
}

/// Slope from the output.
struct Tanh<Number: Scalar>: Curve, Slope {
  @inline(__always)
  func value(_ x: Number.Vector) -> Number.Vector { Number.hyperbolicTangent(x) }

  @inline(__always)
  func product(_ y: Number.Vector, _ gradient: Number.Vector) -> Number.Vector {
    gradient * ((1 - y) * (1 + y))
  }
}

/// Slope from the output.
struct Relu<Number: Scalar>: Curve, Slope {
  @inline(__always)
  func value(_ x: Number.Vector) -> Number.Vector { Number.rectified(x) }

  @inline(__always)
  func product(_ y: Number.Vector, _ gradient: Number.Vector) -> Number.Vector {
    Number.rectifiedGradient(gradient, output: y)
  }
}

/// Slope from the input, or from the output if `slope` is positive.
struct LeakyRelu<Number: Scalar>: Curve, Slope {
  let slope: Number

  @inline(__always)
  func value(_ x: Number.Vector) -> Number.Vector {
    Number.ifLess(x, Number.zeros, then: x * slope, else: x)
  }

  @inline(__always)
  func product(_ point: Number.Vector, _ gradient: Number.Vector) -> Number.Vector {
    Number.ifLess(Number.zeros, point, then: gradient, else: gradient * slope)
  }
}

/// Slope from the output.
struct Elu<Number: Scalar>: Curve, Slope {
  let alpha: Number

  @inline(__always)
  func value(_ x: Number.Vector) -> Number.Vector {
    Number.ifLess(x, Number.zeros, then: Number.exponentialMinusOne(x) * alpha, else: x)
  }

  @inline(__always)
  func product(_ y: Number.Vector, _ gradient: Number.Vector) -> Number.Vector {
    Number.ifLess(Number.zeros, y, then: gradient, else: gradient * (y + alpha))
  }
}

/// Slope from the input: `Phi(x) + x phi(x)`.
struct Gelu<Number: Scalar>: Curve, Slope {
  @inline(__always)
  func value(_ x: Number.Vector) -> Number.Vector { x * Number.normalDistribution(x) }

  @inline(__always)
  func product(_ x: Number.Vector, _ gradient: Number.Vector) -> Number.Vector {
    gradient * Number.multiplyAdd(x, Number.normalDensity(x), Number.normalDistribution(x))
  }
}

/// Slope from the input.
struct GeluTanh<Number: Scalar>: Curve, Slope {
  @inline(__always)
  func value(_ x: Number.Vector) -> Number.Vector {
    let half = x * 0.5
    return Number.multiplyAdd(half, Number.hyperbolicTangent(Number.geluArgument(x).value), half)
  }

  @inline(__always)
  func product(_ x: Number.Vector, _ gradient: Number.Vector) -> Number.Vector {
    let u = Number.geluArgument(x)
    let t = Number.hyperbolicTangent(u.value)
    return gradient * ((1 + t) * 0.5) * (1 + x * u.slope * (1 - t))
  }
}

/// Slope from the input.
struct Silu<Number: Scalar>: Curve, Slope {
  @inline(__always)
  func value(_ x: Number.Vector) -> Number.Vector { x * Number.sigmoid(x) }

  @inline(__always)
  func product(_ x: Number.Vector, _ gradient: Number.Vector) -> Number.Vector {
    let s = Number.sigmoid(x)
    return gradient * Number.multiplyAdd(s * x, 1 - s, s)
  }
}
