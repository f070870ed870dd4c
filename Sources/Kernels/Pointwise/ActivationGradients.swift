import Graph
import Storage

/// `inputGradient[i] = f'(input[i]) * outputGradient[i]`.
///
/// Where `kind.gradientNeedsOnlyOutput`, the slope is computed from `f(input[i])` and `input` may be
/// nil. At the corner of the relu family the slope is that of the negative side, as in PyTorch.
///
/// - Parameters:
///   - inputGradient: As long as the others; the same block as any of them or one that overlaps none.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func activationGradient<S: Scalar>(
  _ kind: Activation, input: Block<S>?, output: Block<S>, outputGradient: Block<S>,
  into inputGradient: Block<S>
) {
  precondition(output.count == inputGradient.count, "\(output.count), \(inputGradient.count)")
  precondition(outputGradient.count == inputGradient.count, "gradients differ in length")
  switch kind {
  case .gelu, .geluTanh, .silu:
    curveGradient(kind, need(input, for: kind), outputGradient, into: inputGradient)
  case .leakyRelu(let slope):
    let slope = S(slope)
    let sign = slope > 0 ? output : need(input, for: kind)
    fill(inputGradient, from: sign, outputGradient) { y, dy in
      (dy * slope).replacing(with: dy, where: S.isPositive(y))
    }
  default: outputCurveGradient(kind, output, outputGradient, into: inputGradient)
  }
}

/// Slopes computed from the output `y`.
@inline(__always)
private func outputCurveGradient<S: Scalar>(
  _ kind: Activation, _ output: Block<S>, _ outputGradient: Block<S>, into result: Block<S>
) {
  switch kind {
  case .relu:
    fill(result, from: output, outputGradient) { y, dy in S.rectifiedGradient(dy, output: y) }
  case .sigmoid: fill(result, from: output, outputGradient) { y, dy in dy * (y * (1 - y)) }
  case .tanh:
    fill(result, from: output, outputGradient) { y, dy in dy * ((1 - y) * (1 + y)) }
  case .elu(let alpha):
    let alpha = S(alpha)
    fill(result, from: output, outputGradient) { y, dy in
      (dy * (y + alpha)).replacing(with: dy, where: S.isPositive(y))
    }
  default:
    if outputGradient.base != result.base {
      result.base.update(from: outputGradient.base, count: result.count)
    }
  }
}

/// Slopes computed from the input `x`.
@inline(__always)
private func curveGradient<S: Scalar>(
  _ kind: Activation, _ input: Block<S>, _ outputGradient: Block<S>, into result: Block<S>
) {
  switch kind {
  case .gelu:
    fill(result, from: input, outputGradient) { x, dy in
      dy * S.normalDistribution(x).addingProduct(x, S.normalDensity(x))
    }
  case .geluTanh:
    fill(result, from: input, outputGradient) { x, dy in
      let argument = S.geluArgument(x)
      let t = S.hyperbolicTangent(argument.value)
      let bend = x * argument.slope * (1 - t)
      return dy * ((1 + t) * 0.5) * (1 + bend)
    }
  default:
    fill(result, from: input, outputGradient) { x, dy in
      let s = S.sigmoid(x)
      return dy * s.addingProduct(s * x, 1 - s)
    }
  }
}

@inline(__always)
private func need<S: Scalar>(_ input: Block<S>?, for kind: Activation) -> Block<S> {
  guard let input else { preconditionFailure("the gradient of \(kind) needs the input") }
  return input
}

@inline(__always)
private func fill<S: Scalar>(
  _ result: Block<S>, from point: Block<S>, _ outputGradient: Block<S>,
  _ slope: (S.Vector, S.Vector) -> S.Vector
) {
  fillByVectors(result.base, count: result.count) { index in
    slope(point.base.vector(at: index), outputGradient.base.vector(at: index))
  }
}
