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
  @inline(never) func run() {
    precondition(input.count == output.count, "\(input.count) numbers into \(output.count)")
    switch kind {
    case .identity:
      if input.base != output.base { output.base.update(from: input.base, count: input.count) }
    case .sigmoid: fill(output, from: input, Sigmoid<S>())
    case .tanh: fill(output, from: input, Tanh<S>())
    case .relu: fill(output, from: input, Relu<S>())
    case .leakyRelu(let slope): fill(output, from: input, LeakyRelu<S>(slope: S(slope)))
    case .elu(let alpha):
      precondition(alpha >= 0, "elu with alpha \(alpha)")
      fill(output, from: input, Elu<S>(alpha: S(alpha)))
    case .gelu: fill(output, from: input, Gelu<S>())
    case .geluTanh: fill(output, from: input, GeluTanh<S>())
    case .silu: fill(output, from: input, Silu<S>())
    case .relu6: fill(output, from: input, Relu6<S>())
    case .hardSigmoid: fill(output, from: input, HardSigmoid<S>())
    case .hardSwish: fill(output, from: input, HardSwish<S>())
    case .softplus: fill(output, from: input, Softplus<S>())
    }
  }
  run()
}

@inline(__always)
private func fill<S: Scalar, C: Curve<S>>(
  _ output: Block<S>, from input: Block<S>, _ curve: C
) {
  @inline(__always) func value(_ index: Int) -> S.Vector {
    curve.value(input.base.vector(at: index))
  }
  fillByVectors(output.base, count: output.count, value)
}
