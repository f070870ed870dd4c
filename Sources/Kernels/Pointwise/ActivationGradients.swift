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
  @inline(never) func run() {
    precondition(output.count == inputGradient.count, "\(output.count), \(inputGradient.count)")
    precondition(outputGradient.count == inputGradient.count, "gradients differ in length")
    let (x, y, dy, dx) = (input, output, outputGradient, inputGradient)
    switch kind {
    case .identity:
      if dy.base != dx.base { dx.base.update(from: dy.base, count: dx.count) }
    case .sigmoid: fill(dx, from: y, dy, Sigmoid<S>())
    case .tanh: fill(dx, from: y, dy, Tanh<S>())
    case .relu: fill(dx, from: y, dy, Relu<S>())
    case .leakyRelu(let slope):
      fill(dx, from: slope > 0 ? y : need(x, for: kind), dy, LeakyRelu<S>(slope: S(slope)))
    case .elu(let alpha): fill(dx, from: y, dy, Elu<S>(alpha: S(alpha)))
    case .gelu: fill(dx, from: need(x, for: kind), dy, Gelu<S>())
    case .geluTanh: fill(dx, from: need(x, for: kind), dy, GeluTanh<S>())
    case .silu: fill(dx, from: need(x, for: kind), dy, Silu<S>())
    case .relu6: fill(dx, from: y, dy, Relu6<S>())
    case .hardSigmoid: fill(dx, from: y, dy, HardSigmoid<S>())
    case .hardSwish: fill(dx, from: need(x, for: kind), dy, HardSwish<S>())
    case .softplus: fill(dx, from: y, dy, Softplus<S>())
    }
  }
  run()
}

@inline(__always)
private func need<S: Scalar>(_ input: Block<S>?, for kind: Activation) -> Block<S> {
  guard let input else { preconditionFailure("the gradient of \(kind) needs the input") }
  return input
}

@inline(__always)
private func fill<S: Scalar, L: Slope<S>>(
  _ result: Block<S>, from point: Block<S>, _ outputGradient: Block<S>, _ slope: L
) {
  @inline(__always) func value(_ index: Int) -> S.Vector {
    slope.product(point.base.vector(at: index), outputGradient.base.vector(at: index))
  }
  fillByVectors(result.base, count: result.count, value)
}
