import Diagnostics
import Graph
import Testing

/// Layers that refer to others by name, and losses inside of the network.
@Suite("Lowering of references")
struct ReferenceLoweringTests {
  static let softmax = LossSpec.softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil)

  private static func graph(
    _ layers: [LayerSpec], input: [Int] = [4], _ auxiliary: [AuxiliaryLoss] = [],
    loss: LossSpec = softmax
  ) throws -> ModelGraph {
    try GraphBuilder.forward(
      ModelSpec(input: input, layers: layers), loss: loss, auxiliary: auxiliary, mode: .training)
  }

  struct Fault: Sendable {
    var input: [Int]
    var layers: [LayerSpec]
    var problem: String
    var auxiliary: [AuxiliaryLoss] = []
    var loss: LossSpec

    init(
      _ input: [Int], _ layers: [LayerSpec], _ problem: String, _ auxiliary: [AuxiliaryLoss] = [],
      loss: LossSpec = ReferenceLoweringTests.softmax
    ) {
      self.loss = loss
      (self.input, self.layers, self.problem) = (input, layers, problem)
      self.auxiliary = auxiliary
    }
  }

  static let faultyModels: [Fault] = [
    Fault([4], [dense(3, from: "stem")], "takes the output of stem, which is no layer before it"),
    Fault(
      [4], [layer(.join(JoinSpec(sources: ["later"]))), dense(3, "later")], "the output of later"),
    Fault([4], [layer(.shared(layer: "stem"))], "shares the parameters of stem"),
    Fault(
      [4], [layer(.batchNorm(BatchNormSpec()), "n"), layer(.shared(layer: "n"))],
      "would apply batch_norm at net.yaml:5:7 twice"),
    Fault([2, 4], [layer(.select(index: 2))], "takes entry 2 of an input of shape [2, 4]"),
    Fault([4], [layer(.select(index: 0))], "takes entry 0 of an input of shape [4]"),
    Fault([4], [layer(.channels(ChannelRange(first: 2, count: 3)))], "takes the channels 2 to 4"),
    Fault([5], [layer(.gaussianSample)], "got an input of shape [5]"),
    Fault(
      [4], [dense(3, "a"), dense(2)], "with the targets of the model's end, [2]",
      [AuxiliaryLoss(.loss(softmax), output: "a")]),
    Fault([4], [dense(3, "a")], "kl_divergence", [AuxiliaryLoss(.klDivergence, output: "a")]),
    Fault([4], [dense(3, "a")], "cosine without a target", [AuxiliaryLoss(.cosine, output: "a")]),
    Fault(
      [4], [dense(3, "a")], "got an output of shape [3]",
      [AuxiliaryLoss(.loss(.pairwise(.triplet(margin: 1))), output: "a")]),
    Fault(
      [2, 4], [dense(3, "a")], "asks for 1 classes of a sample, but the main loss for 2",
      [AuxiliaryLoss(.loss(.pairwise(.hardTriplet(margin: 1))), output: "a")]),
    Fault(
      [2, 4], [dense(3, "a")], "asks for 2 classes of a sample, but the main loss for 1",
      [AuxiliaryLoss(.loss(softmax), output: "a")], loss: .meanSquared),
    Fault(
      [2, 4], [dense(3, "a")], "in which the main loss leaves out a class",
      [AuxiliaryLoss(.loss(softmax), output: "a")],
      loss: .softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil, ignored: -1)),
    Fault([4], [dense(3)], "the output of b", [AuxiliaryLoss(.klDivergence, output: "b")]),
  ]

  @Test("a shared layer has the parameters of the first, and their number once")
  func sharing() throws {
    let graph = try Self.graph([
      dense(4, "a"), layer(.shared(layer: "a")), layer(.shared(layer: "a")),
    ])
    #expect(graph.parameters.map(\.name) == ["layers.a.weight", "layers.a.bias"])
    #expect(graph.layers.map(\.parameterCount) == [20, 0, 0])
    #expect(graph.layers.map(\.forwardFLOPs) == [32, 32, 32])
    #expect(Set(graph.operations.filter { $0.kind.name == "dense" }.map(\.inputs[1])).count == 1)
  }

  @Test("a shared layer draws numbers of its own each time")
  func streams() throws {
    let graph = try Self.graph([
      layer(.dropout(rate: 0.5), "d"), layer(.shared(layer: "d")),
      layer(.shared(layer: "d")),
    ])
    let streams = graph.operations.compactMap { operation in
      if case .dropout(_, let stream) = operation.kind { stream } else { nil }
    }
    #expect(Set(streams).count == 3)
  }

  @Test("the nearest layer of a name is meant")
  func nearest() throws {
    let block = LayerKind.sequence([
      dense(3, "in"), dense(3), layer(.join(JoinSpec(sources: ["in"]))),
    ])
    let graph = try Self.graph([layer(.repeat(times: 2, layers: [layer(block)]))])
    let joins = graph.operations.filter { $0.kind.name == "concatenate" }
    let first = graph.operations.filter { $0.layer.hasSuffix(".in") }.map { $0.outputs[0] }
    #expect(joins.map(\.inputs[1]) == first)
    #expect(Set(first).count == 2)
  }

  @Test("faults name the layer, what it got and what it needs", arguments: faultyModels)
  func faults(_ fault: Fault) throws {
    let found = try #require(throws: Diagnostic.self) {
      _ = try Self.graph(fault.layers, input: fault.input, fault.auxiliary, loss: fault.loss)
    }
    #expect(found.problem.contains(fault.problem), "\(found.problem)")
  }

  @Test("a model of which nothing is trained is a fault")
  func allFrozen() throws {
    var layer = dense(3)
    layer.isTrained = false
    let fault = try #require(throws: Diagnostic.self) { _ = try Self.graph([layer]) }
    #expect(fault.problem.contains("trainable: false"))
  }
}
