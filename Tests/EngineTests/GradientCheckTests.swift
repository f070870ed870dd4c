import Engine
import Graph
import Plan
import Storage
import Testing

/// Every backward rule against central differences in Double, by the courses' formula
/// `||approx - grad|| / (||approx|| + ||grad||)`, for all parameters and for the input.
@Suite("Gradients against central differences")
struct GradientCheckTests {
  static let softmax = LossSpec.softmaxCrossEntropy(labelSmoothing: 0.1, classWeights: nil)

  static func conv(
    _ filters: Int, kernel: Extent = Extent(3), stride: Int = 1, padding: Padding = .same,
    dilation: Int = 1, groups: Int = 1, bias: Bool = true
  ) -> LayerKind {
    var spec = Conv2DSpec(filters: filters, kernel: kernel)
    spec.stride = Extent(stride)
    spec.padding = padding
    spec.dilation = Extent(dilation)
    spec.groups = .count(groups)
    spec.bias = bias
    return .conv2d(spec)
  }

  static func dense(_ units: Int, bias: Bool = true) -> LayerKind {
    var spec = DenseSpec(units: units)
    spec.bias = bias
    return .dense(spec)
  }

  static func pool(_ size: Int, stride: Int, padding: Int = 0, countsPadding: Bool = true)
    -> PoolSpec
  {
    var spec = PoolSpec(size: Extent(size))
    spec.stride = Extent(stride)
    spec.padding = .amount(Extent(padding))
    spec.countsPadding = countsPadding
    return spec
  }

  static func layers(_ kinds: LayerKind...) -> [LayerSpec] { kinds.map { LayerSpec($0) } }

  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var input: [Int]
    var layers: [LayerKind]
    var loss = GradientCheckTests.softmax
    var mode = GraphMode.training
  }

  static let cases: [Case] = [
    Case("dense", [4], [dense(3)]),
    Case("dense, two", [4], [dense(17), .activation(.tanh), dense(3)]),
    Case("conv2d valid", [6, 5, 2], [conv(3, padding: .valid)]),
    Case("conv2d same", [6, 5, 2], [conv(17)]),
    Case("conv2d stride 2", [7, 8, 3], [conv(4, stride: 2)]),
    Case(
      "conv2d stride 3, padding 2", [7, 8, 3], [conv(4, stride: 3, padding: .amount(Extent(2)))]),
    Case("conv2d dilation 2", [7, 7, 2], [conv(4, dilation: 2)]),
    Case("conv2d groups", [5, 5, 4], [conv(6, groups: 2)]),
    Case("conv2d depthwise", [5, 5, 4], [conv(4, groups: 4)]),
    Case("conv2d depthwise multiplier", [5, 5, 3], [conv(6, stride: 2, groups: 3)]),
    Case("conv2d 1x1", [4, 4, 3], [conv(5, kernel: Extent(1))]),
    Case("conv2d 1x3", [4, 6, 3], [conv(5, kernel: Extent(height: 1, width: 3))]),
    Case("conv2d, two", [6, 6, 1], [conv(3), .activation(.silu), conv(2)]),
    Case("batch norm on images", [4, 4, 3], [conv(4, bias: false), .batchNorm(BatchNormSpec())]),
    Case(
      "batch norm on rows", [6], [dense(5, bias: false), .batchNorm(BatchNormSpec()), dense(3)]),
    Case(
      "batch norm, relu", [4, 4, 2],
      [conv(4, bias: false), .batchNorm(BatchNormSpec()), .activation(.relu), .globalAveragePool]),
    Case(
      "batch norm in use", [4, 4, 2],
      [conv(4, bias: false), .batchNorm(BatchNormSpec()), .activation(.relu), conv(2)],
      mode: .evaluation),
    Case("layer norm", [3, 3, 5], [.layerNorm(LayerNormSpec()), conv(3)]),
    Case("max pool", [6, 6, 3], [.maxPool(PoolSpec(size: Extent(2))), conv(2)]),
    Case("max pool overlapping", [7, 7, 2], [.maxPool(pool(3, stride: 2, padding: 1))]),
    Case("average pool", [6, 6, 3], [.averagePool(PoolSpec(size: Extent(2)))]),
    Case(
      "average pool, padding counted", [5, 5, 2], [.averagePool(pool(3, stride: 1, padding: 1))]),
    Case(
      "average pool, padding not counted", [5, 5, 2],
      [.averagePool(pool(3, stride: 2, padding: 1, countsPadding: false))]),
    Case("global average pool", [3, 4, 5], [.globalAveragePool]),
    Case("dropout", [9], [dense(8), .dropout(rate: 0.4), dense(3)]),
    Case("flatten, channels first", [3, 2, 4], [.flatten(.channelsFirst), dense(3)]),
    Case("flatten, channels last", [3, 2, 4], [.flatten(.channelsLast), dense(3)]),
    Case("reshape", [12], [.reshape([2, 2, 3]), conv(2)]),
    Case("sigmoid", [5], [dense(4), .activation(.sigmoid)]),
    Case("tanh", [5], [dense(4), .activation(.tanh)]),
    Case("relu", [5], [dense(4), .activation(.relu)]),
    Case("leaky relu", [5], [dense(4), .activation(.leakyRelu(slope: 0.2))]),
    Case("leaky relu, slope below zero", [5], [dense(4), .activation(.leakyRelu(slope: -0.2))]),
    Case("elu", [5], [dense(4), .activation(.elu(alpha: 0.7))]),
    Case("gelu", [5], [dense(4), .activation(.gelu)]),
    Case("gelu, tanh form", [5], [dense(4), .activation(.geluTanh)]),
    Case("silu", [5], [dense(4), .activation(.silu)]),
    Case("softmax", [5], [dense(4), .softmax, dense(3)]),
    Case(
      "residual", [4],
      [.residual(main: layers(dense(4), .activation(.tanh)), shortcut: []), dense(3)]),
    Case(
      "residual with shortcut", [4, 4, 2],
      [
        .residual(
          main: layers(conv(3), .activation(.elu(alpha: 1))),
          shortcut: layers(conv(3, kernel: Extent(1))))
      ]),
    Case(
      "concat", [4, 3, 2],
      [
        .parallel(
          branches: [layers(conv(3)), [], layers(conv(2), .activation(.tanh))], join: .concat),
        conv(2),
      ]),
    Case(
      "add", [4],
      [.parallel(branches: [layers(dense(3)), layers(dense(3)), layers(dense(3))], join: .add)]),
    Case(
      "multiply", [4],
      [
        .parallel(
          branches: [layers(dense(4)), layers(dense(4), .activation(.sigmoid)), []], join: .multiply
        )
      ]),
    Case("repeat", [4], [.repeat(times: 3, layers: layers(dense(4), .activation(.tanh)))]),
    Case(
      "softmax cross-entropy, class weights", [4], [dense(3)],
      loss: .softmaxCrossEntropy(labelSmoothing: 0, classWeights: [1, 0.5, 3])),
    Case("sigmoid cross-entropy", [4], [dense(3)], loss: .sigmoidCrossEntropy(classWeights: nil)),
    Case(
      "sigmoid cross-entropy, weights", [4], [dense(3)],
      loss: .sigmoidCrossEntropy(classWeights: [1, 2, 0.5])),
    Case("mean squared", [4], [dense(3)], loss: .meanSquared),
    Case("mean absolute", [4], [dense(3)], loss: .meanAbsolute),
    Case("huber", [4], [dense(3)], loss: .huber(delta: 0.6)),
  ]

  @Test("every layer and every loss", arguments: cases + imageCases)
  func everyLayer(_ example: Case) throws {
    let usesClasses = if case .softmaxCrossEntropy = example.loss { true } else { false }
    let network = try SmallNetwork(
      input: example.input, example.layers, loss: example.loss, mode: example.mode,
      classes: usesClasses)
    network.run()
    // All of them before the differences are taken, which leave other gradients behind.
    let inputGradient = try #require(network.engine.inputGradient).array
    let gradients = network.parameterGradients
    for (index, parameter) in network.plan.graph.parameters.enumerated() {
      let error = network.relativeError(gradients[index], of: network.model.parameter(index))
      #expect(error < 1e-7, "\(parameter.name): \(error)")
    }
    let error = network.relativeError(inputGradient, of: network.engine.input)
    #expect(error < 1e-7, "input: \(error)")
  }

  @Test("a bias before batch norm has no gradient, because the norm takes it out again")
  func biasBeforeNorm() throws {
    let network = try SmallNetwork(
      input: [4, 4, 3],
      [Self.conv(4), .batchNorm(BatchNormSpec()), .activation(.relu), .globalAveragePool],
      loss: Self.softmax)
    network.run()
    let largest = network.parameterGradients[1].map(abs).max() ?? 1
    // 80 rows' gradients of about 1e-2, each off by a few rounding units.
    #expect(largest < 80 * 1e-2 * 2.2e-16, "\(largest)")
  }
}

extension GradientCheckTests.Case {
  init(
    _ name: String, _ input: [Int], _ layers: [LayerKind],
    loss: LossSpec = GradientCheckTests.softmax, mode: GraphMode = .training
  ) {
    self.init(testDescription: name, input: input, layers: layers, loss: loss, mode: mode)
  }
}
