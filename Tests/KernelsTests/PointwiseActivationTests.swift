import Foundation
import Graph
import Kernels
import Storage
import Testing

@Suite("Activations")
struct PointwiseActivationTests {
  static let kinds: [Activation] = [
    .identity, .sigmoid, .tanh, .relu, .leakyRelu(slope: 0.1), .leakyRelu(slope: 0),
    .leakyRelu(slope: -0.5), .elu(alpha: 1.3), .gelu, .geluTanh, .silu, .relu6, .hardSigmoid,
    .hardSwish, .softplus,
  ]

  private func reference(_ kind: Activation, _ x: Double) -> Double {
    switch kind {
    case .identity: x
    case .sigmoid: 1 / (1 + exp(-x))
    case .tanh: tanh(x)
    case .relu: max(x, 0)
    case .leakyRelu(let slope): x > 0 ? x : slope * x
    case .elu(let alpha): x > 0 ? x : alpha * expm1(x)
    case .gelu: x * 0.5 * (1 + erf(x / 2.0.squareRoot()))
    case .geluTanh: x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
    case .silu: x / (1 + exp(-x))
    case .relu6: min(max(x, 0), 6)
    case .hardSigmoid: min(max(x / 6 + 0.5, 0), 1)
    case .hardSwish: x * min(max(x + 3, 0), 6) / 6
    case .softplus: log1p(exp(x))
    }
  }

  /// Float's curves are within 3 ulp each; a product or two come on top.
  private func checkForward<S: Scalar>(_ kind: Activation, _ count: Int, _ scalar: S.Type) {
    let x = rounded(testNumbers(count, "activation", low: -9, high: 9), as: S.self)
    let (input, output) = (GuardedBlock<S>(x), GuardedBlock<S>(count: count))
    applyActivation(kind, input: input.block, into: output.block)
    let expected = x.map { reference(kind, $0) }
    expectClose(output.numbers, expected, tolerance: 4 * epsilon(S.self), "\(kind)")
    applyActivation(kind, input: input.block, into: input.block)
    #expect(input.numbers == output.numbers, "in place")
  }

  @Test("every activation equals its formula, at any length", arguments: kinds, [0, 1, 3, 16, 101])
  func forward(kind: Activation, count: Int) {
    checkForward(kind, count, Float.self)
    checkForward(kind, count, Double.self)
  }

  private func gradient<S: Scalar>(
    _ kind: Activation, _ x: [Double], _ dy: [Double], _ scalar: S.Type
  ) -> [Double] {
    let (input, output) = (GuardedBlock<S>(x), GuardedBlock<S>(count: x.count))
    applyActivation(kind, input: input.block, into: output.block)
    let result = GuardedBlock<S>(dy)
    activationGradient(
      kind, input: kind.gradientNeedsOnlyOutput ? nil : input.block, output: output.block,
      outputGradient: result.block, into: result.block)
    return result.numbers
  }

  @Test("every activation's gradient agrees with central differences", arguments: kinds)
  func gradients(kind: Activation) {
    let x = testNumbers(53, "activation", low: -8, high: 8)
    let dy = testNumbers(53, "gradient")
    let error = differenceError(x, gradient: gradient(kind, x, dy, Double.self)) { moved in
      dot(dy, moved.map { reference(kind, $0) })
    }
    #expect(error < 1e-7, "\(kind): \(error)")
  }

  @Test("Float's gradients agree with Double's", arguments: kinds)
  func floatGradients(kind: Activation) {
    let x = rounded(testNumbers(77, "activation", low: -9, high: 9), as: Float.self)
    let dy = rounded(testNumbers(77, "gradient"), as: Float.self)
    expectClose(
      gradient(kind, x, dy, Float.self), gradient(kind, x, dy, Double.self),
      tolerance: 8 * epsilon(Float.self), "\(kind)")
  }

  @Test("at the corner the relu family takes the negative side")
  func corner() {
    #expect(gradient(.relu, [0, -0.0], [1, 1], Float.self) == [0, 0])
    #expect(gradient(.leakyRelu(slope: 0.25), [0], [1], Float.self) == [0.25])
    #expect(gradient(.elu(alpha: 0.5), [0], [1], Float.self) == [0.5])
  }

  @Test("not-a-number comes out of every activation", arguments: kinds)
  func notANumber(kind: Activation) {
    let input = GuardedBlock<Float>([.nan, 1, .nan])
    applyActivation(kind, input: input.block, into: input.block)
    #expect(input.numbers[0].isNaN && !input.numbers[1].isNaN && input.numbers[2].isNaN)
  }

  @Test("an element's bits do not depend on where in the block it lies", arguments: kinds)
  func bitsStay(kind: Activation) {
    let x = testNumbers(67, "activation", low: -9, high: 9)
    let (whole, parts) = (GuardedBlock<Float>(x), GuardedBlock<Float>(x))
    applyActivation(kind, input: whole.block, into: whole.block)
    for range in [0..<1, 1..<20, 20..<67] {
      applyActivation(kind, input: parts.block[range], into: parts.block[range])
    }
    #expect(whole.numbers == parts.numbers)
  }
}
