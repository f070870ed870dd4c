import Engine
import Graph
import Plan
import Testing

/// Layers that refer to others, frozen layers, several losses: against central differences in Double.
@Suite("Gradients of references and auxiliary losses against central differences")
struct ReferenceGradientTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var input: [Int]
    var layers: [LayerSpec]
    var loss = GradientCheckTests.softmax
    var auxiliary: [AuxiliaryLoss] = []
    var target: String?
    var isSmooth = false

    init(
      _ description: String, _ input: [Int], _ layers: [LayerSpec],
      loss: LossSpec = GradientCheckTests.softmax, _ auxiliary: [AuxiliaryLoss] = [],
      target: String? = nil, isSmooth: Bool = false
    ) {
      (testDescription, self.input, self.layers) = (description, input, layers)
      (self.loss, self.auxiliary, self.isSmooth) = (loss, auxiliary, isSmooth)
      self.target = target
    }
  }

  static func layer(_ kind: LayerKind, _ name: String? = nil, from source: String? = nil)
    -> LayerSpec
  {
    var spec = LayerSpec(kind, name: name)
    spec.source = source
    return spec
  }

  static func dense(_ units: Int, _ name: String? = nil, from source: String? = nil) -> LayerSpec {
    layer(GradientCheckTests.dense(units), name, from: source)
  }

  static func join(_ sources: [String], _ join: Join) -> LayerSpec {
    var spec = JoinSpec(sources: sources)
    spec.join = join
    return LayerSpec(.join(spec))
  }

  static func term(
    _ kind: AuxiliaryLossKind, _ output: String, target: String? = nil, weight: Double = 0.7
  ) -> AuxiliaryLoss {
    var term = AuxiliaryLoss(kind, output: output)
    (term.target, term.weight) = (target, weight)
    return term
  }

  /// Without a bias, which moves all outputs alike and has no gradient by their distances.
  static func linear(_ units: Int) -> LayerSpec {
    layer(GradientCheckTests.dense(units, bias: false))
  }

  static let tanh = LayerSpec(.activation(.tanh))

  static let cases: [Case] = [
    Case(
      "two ways from one layer", [4], [dense(5, "a"), tanh, dense(5), join(["a"], .add), dense(3)]),
    Case("a product with the input", [5], [dense(5), tanh, join(["input"], .multiply), dense(3)]),
    Case(
      "side by side with two others", [4],
      [
        dense(5, "a"), tanh, dense(2, "b"), dense(4, from: "a"), join(["b", "a"], .concat),
        dense(3),
      ]),
    Case(
      "an encoder applied twice", [2, 5],
      [
        layer(.select(index: 0)),
        layer(.sequence([dense(4), tanh, dense(3)]), "encoder"),
        layer(.select(index: 1), from: "input"), layer(.shared(layer: "encoder"), "second"),
        join(["encoder"], .multiply), dense(3),
      ]),
    Case(
      "a recurrent layer applied twice", [4, 3],
      [
        layer(SequenceGradientTests.recurrent(.lstm, units: 3), "net"), tanh,
        layer(.shared(layer: "net")), dense(3),
      ], isSmooth: true),
    Case(
      "channels", [3, 3, 5],
      [layer(.channels(ChannelRange(first: 1, count: 3))), layer(GradientCheckTests.conv(2))]),
    Case(
      "a draw", [4], [dense(6), layer(.gaussianSample), tanh, dense(3)]),
    Case(
      "draws of a shared layer", [4],
      [dense(8), layer(.gaussianSample, "draw"), layer(.shared(layer: "draw")), dense(3)]),
    Case(
      "a head inside", [4], [dense(5, "a"), tanh, dense(3, "head"), dense(4, from: "a"), dense(3)],
      [term(.loss(GradientCheckTests.softmax), "head")]),
    Case(
      "divergence of a code", [4], [dense(6, "code"), layer(.gaussianSample), dense(3)],
      [term(.klDivergence, "code")]),
    Case(
      "cosine to the input, gram of two layers", [3, 3, 2],
      [
        layer(GradientCheckTests.conv(2), "a"), tanh, layer(GradientCheckTests.conv(2), "b"),
        layer(.flatten(.channelsLast)), dense(3),
      ],
      [
        term(.cosine, "a", target: "input"), term(.gram, "b", target: "input"),
        term(.loss(.meanSquared), "b", target: "input"),
      ]),
    Case(
      "an autoencoder", [5], [dense(3), tanh, dense(5)], loss: .meanSquared, target: "input"),
    Case("triplets", [3, 4], [linear(5)], loss: .pairwise(.triplet(margin: 0.3))),
    Case("hard triplets", [4], [linear(3)], loss: .pairwise(.hardTriplet(margin: 0.8))),
    Case("pairs", [2, 4], [linear(5)], loss: .pairwise(.contrastive(margin: 1.5))),
    Case("pairs among all", [2, 4], [dense(5)], loss: .pairwise(.infoNCE(temperature: 0.3))),
    Case(
      "triplets beside classes", [4], [dense(5, "face"), tanh, dense(3)],
      [term(.loss(.pairwise(.hardTriplet(margin: 0.5))), "face")]),
  ]

  @Test("every parameter and the input", arguments: cases)
  func gradients(_ example: Case) throws {
    let network = try SmallNetwork(
      input: example.input, layers: example.layers, loss: example.loss,
      target: example.target, auxiliary: example.auxiliary)
    // No gradient goes to a target: what is differentiated must not move it.
    let movesTarget =
      example.target == "input" || example.auxiliary.contains { $0.target == "input" }
    network.run()
    let gradients = network.parameterGradients
    let input = try #require(network.engine.inputGradient).array
    for (index, parameter) in network.plan.graph.parameters.enumerated() {
      let error = network.relativeError(
        gradients[index], of: network.model.parameter(index), isSmooth: example.isSmooth)
      #expect(error < 1e-7, "\(parameter.name): \(error)")
      #expect(gradients[index].contains { $0 != 0 }, "\(parameter.name)")
    }
    #expect(movesTarget || input.contains { $0 != 0 })
  }

  @Test("no gradient goes through stop_gradient")
  func stop() throws {
    let network = try SmallNetwork(
      input: [4], layers: [Self.dense(5), Self.layer(.stopGradient), Self.dense(3)],
      loss: GradientCheckTests.softmax)
    let output = network.run()
    #expect(output.isFinite)
    let gradients = network.parameterGradients
    #expect(gradients[0].allSatisfy { $0 == 0 } && gradients[1].allSatisfy { $0 == 0 })
    #expect(gradients[2].contains { $0 != 0 })
    #expect(network.engine.inputGradient.map(\.count) == nil)
  }

  @Test("a frozen layer has no gradient, and the others have the same as without")
  func frozen() throws {
    func gradients(isFrozen: Bool) throws -> [[Double]] {
      var norm = LayerSpec(.layerNorm(LayerNormSpec()))
      norm.isTrained = !isFrozen
      var inner = Self.layer(.sequence([Self.dense(4), Self.tanh]))
      inner.isTrained = !isFrozen
      let network = try SmallNetwork(
        input: [4], layers: [Self.dense(5), norm, inner, Self.dense(3)],
        loss: GradientCheckTests.softmax)
      network.run()
      return network.parameterGradients
    }
    let (all, some) = (try gradients(isFrozen: false), try gradients(isFrozen: true))
    for index in [0, 1, 6, 7] { #expect(all[index] == some[index]) }
    for index in 2...5 {
      #expect(all[index].contains { $0 != 0 } && some[index].allSatisfy { $0 == 0 })
    }
  }

  @Test("a frozen batch norm normalises by its running statistics and leaves them")
  func frozenNorm() throws {
    var norm = LayerSpec(.batchNorm(BatchNormSpec()))
    norm.isTrained = false
    let layers = [Self.dense(5), norm, Self.dense(3)]
    let frozen = try SmallNetwork(
      input: [4], layers: layers, loss: GradientCheckTests.softmax)
    let used = try SmallNetwork(
      input: [4], layers: layers, loss: GradientCheckTests.softmax, mode: .evaluation)
    frozen.run()
    used.run()
    #expect(frozen.engine.output.array == used.engine.output.array)
    let statistics = (0..<2).map { frozen.model.statistic($0).array }
    frozen.model.updateStatistics(from: frozen.leaf.block)
    #expect((0..<2).map { frozen.model.statistic($0).array } == statistics)
  }
}
