import Graph
import Storage

/// `output[i] = f(input[i])`.
///
/// - Parameters:
///   - output: As long as `input`; the same block or one that does not overlap it.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func applyActivation<S: Scalar>(
  _ kind: Activation, input: Block<S>, into output: Block<S>
) {
  precondition(input.count == output.count, "\(input.count) numbers into \(output.count)")
  switch kind {
  case .identity:
    if input.base != output.base { output.base.update(from: input.base, count: input.count) }
  case .sigmoid: fill(output, from: input) { S.sigmoid($0) }
  case .tanh: fill(output, from: input) { S.hyperbolicTangent($0) }
  case .relu: fill(output, from: input) { S.rectified($0) }
  case .leakyRelu(let slope):
    let slope = S(slope)
    fill(output, from: input) { x in x.replacing(with: x * slope, where: S.isNegative(x)) }
  case .elu(let alpha):
    precondition(alpha >= 0, "elu with alpha \(alpha)")
    let alpha = S(alpha)
    fill(output, from: input) { x in
      x.replacing(with: S.exponentialMinusOne(x) * alpha, where: S.isNegative(x))
    }
  case .gelu: fill(output, from: input) { x in x * S.normalDistribution(x) }
  case .geluTanh:
    fill(output, from: input) { x in
      let half = x * 0.5
      return half.addingProduct(half, S.hyperbolicTangent(S.geluArgument(x).value))
    }
  case .silu: fill(output, from: input) { x in x * S.sigmoid(x) }
  }
}

@inline(__always)
private func fill<S: Scalar>(
  _ output: Block<S>, from input: Block<S>, _ function: (S.Vector) -> S.Vector
) {
  fillByVectors(output.base, count: output.count) { function(input.base.vector(at: $0)) }
}
