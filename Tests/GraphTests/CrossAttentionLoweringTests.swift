import Diagnostics
import Graph
import Testing

/// Attention to another layer's output, and inputs with names.
@Suite("Lowering of cross attention and several inputs")
struct CrossAttentionLoweringTests {
  private static func attention(
    heads: Int = 2, memory: String, _ change: (inout AttentionSpec) -> Void = { _ in }
  ) -> LayerSpec {
    var spec = AttentionSpec(heads: heads)
    spec.memory = memory
    change(&spec)
    return layer(.attention(spec), "cross")
  }

  private static let masking = layer(.masking(value: 0))
  private static let softmax = LossSpec.softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil)
  private static let pair = [NamedInput("source", [5, 3]), NamedInput("target", [4, 6])]

  private static func graph(_ model: ModelSpec, loss: LossSpec? = softmax) throws -> ModelGraph {
    try GraphBuilder.forward(model, loss: loss, mode: .training)
  }

  @Test("queries, keys and values have parameters of their own", arguments: [true, false])
  func parameters(bias: Bool) throws {
    let cross = Self.attention(memory: "memory") { $0.bias = bias }
    let graph = try Self.graph(
      ModelSpec(
        inputs: Self.pair,
        layers: [dense(7, "memory"), dense(6, from: "target"), cross]))
    let own = graph.parameters.filter { $0.name.hasPrefix("layers.cross.") }
    let names = [
      "q_proj_weight", "q_proj_bias", "kv_proj_weight", "kv_proj_bias", "out_proj.weight",
      "out_proj.bias",
    ].filter { bias || !$0.hasSuffix("bias") }
    #expect(own.map(\.name) == names.map { "layers.cross.\($0)" })
    let shapes = own.filter { $0.name.hasSuffix("weight") }.map(\.layout)
    #expect(
      shapes == [
        .dense(inputs: 6, units: 6), .dense(inputs: 7, units: 12), .dense(inputs: 6, units: 6),
      ])
    #expect(graph.outputShape == [4, 6])
    let shape = try #require(
      graph.operations.compactMap {
        if case .attention(let shape) = $0.kind { shape } else { nil }
      }.first)
    #expect(
      shape
        == AttentionShape(
          queries: 4, keys: 5, heads: 2, headSize: 3, isCausal: false, isSelf: false))
    // Both projections of 2 * T * in * out, scores and outputs of 2 * T * T' * E each, and the last projection.
    #expect(
      graph.layers.first { $0.path == "layers.cross" }?.forwardFLOPs
        == 2 * 4 * 36 + 2 * 5 * 7 * 12 + 4 * 4 * 5 * 6 + 2 * 4 * 36)
  }

  @Test("lengths of queries and of keys are those of their own sequences")
  func lengths() throws {
    func shape(_ layers: [LayerSpec]) throws -> (attention: Operation, lengths: [ValueID]) {
      let graph = try Self.graph(ModelSpec(inputs: Self.pair, layers: layers))
      let attention = try #require(graph.operations.first { $0.kind.name == "attention" })
      let lengths = graph.operations.filter { $0.kind.name == "sequence_lengths" }
      return (attention, lengths.map { $0.outputs[0] })
    }
    let plain = dense(6, from: "target")
    let masked = layer(.masking(value: 0), from: "target")
    let cross = Self.attention(memory: "memory")
    let (keys, ofKeys) = try shape([Self.masking, dense(7, "memory"), plain, cross])
    #expect(Array(keys.inputs.dropFirst(2)) == ofKeys && ofKeys.count == 1)
    let (queries, ofQueries) = try shape([dense(7, "memory"), masked, cross])
    #expect(Array(queries.inputs.dropFirst(2)) == ofQueries && ofQueries.count == 1)
    let (both, ofBoth) = try shape([Self.masking, dense(7, "memory"), masked, cross])
    #expect(Array(both.inputs.dropFirst(2)) == ofBoth.reversed() && ofBoth.count == 2)
    guard case .attention(let found) = both.kind else { return }
    #expect(found.hasQueryLengths && found.hasKeyLengths)
  }

  @Test("inputs with names are cut from the sample, the first for the first layer")
  func inputs() throws {
    let graph = try Self.graph(
      ModelSpec(inputs: Self.pair, layers: [dense(2, "a"), dense(2, from: "target")]),
      loss: nil)
    #expect(graph.inputShape == [39])
    #expect(graph[graph.input].elementCount == 39)
    #expect(
      graph.operations.prefix(2).map(\.kind) == [
        .slice(offset: 0, count: 15, total: 39, positions: 1),
        .slice(offset: 15, count: 24, total: 39, positions: 1),
      ])
    #expect(graph.operations[2].inputs[0] == graph.operations[0].outputs[0])
    #expect(graph.operations[3].inputs[0] == graph.operations[1].outputs[0])
    #expect(graph.outputShape == [4, 2])
  }

  struct Fault: CustomTestStringConvertible, Sendable {
    var model: ModelSpec
    var fault: Diagnostic

    init(_ layers: [LayerSpec], _ problem: String, expected: String, remedy: String) {
      model = ModelSpec(inputs: CrossAttentionLoweringTests.pair, layers: layers)
      fault = Diagnostic(
        place: "net.yaml:5:7", problem: problem, expected: expected, remedy: remedy)
    }

    var testDescription: String { fault.problem }
  }

  static let faultyModels: [Fault] = [
    Fault(
      [dense(6, from: "target"), attention(memory: "source") { $0.isCausal = true }],
      "layers.cross (attention) is causal, but the steps of its memory source are not those of its input",
      expected: "causal where a sequence looks at itself",
      remedy: "remove causal here, and put it in the self-attention before this layer"),
    Fault(
      [dense(6, from: "target"), attention(memory: "source") { $0.rotaryBase = 100 }],
      "layers.cross (attention) turns queries and keys by their distance, but the steps of its memory source are not "
        + "those of its input",
      expected: "rotary_base where a sequence looks at itself",
      remedy: "remove rotary_base here, or put positions before the memory"),
    Fault(
      [layer(.lastStep, "end"), dense(6, from: "target"), attention(memory: "end")],
      "layers.cross (attention) has the memory end, whose shape is [3]",
      expected: "a sequence [steps, channels]",
      remedy: "name a layer that gives an output for every step"),
    Fault(
      [dense(6, from: "target"), attention(memory: "encoder")],
      "layers.cross (attention) takes the output of encoder, which is no layer before it",
      expected: "one of source, target",
      remedy: "give that layer a name of its own: {name: encoder, ...}"),
    Fault(
      [dense(6, from: "input")],
      "layers.0 (dense) takes the output of input, which is no layer before it",
      expected: "one of source, target",
      remedy: "give that layer a name of its own: {name: input, ...}"),
    Fault(
      [dense(6, "target")], "layers.target (dense) has the name of the input target",
      expected: "a name of its own", remedy: "rename the layer or the input"),
    Fault(
      [dense(6), attention(heads: 4, memory: "target")],
      "layers.cross (attention) divides 6 channels among 4 heads",
      expected: "a number of heads that divides the channels", remedy: "use 3 heads"),
  ]

  @Test("faults name the layer, what it got and what it needs", arguments: faultyModels)
  func faults(_ example: Fault) {
    #expect(throws: example.fault) { try Self.graph(example.model) }
  }

  @Test("an input that no layer reads is a fault")
  func unread() {
    let model = ModelSpec(
      inputs: Self.pair + [NamedInput("other", [2])], layers: [dense(2, from: "target")])
    #expect(
      throws: Diagnostic(
        place: "model.input", problem: "no layer reads source, other",
        expected: "inputs that a layer reads; the first layer reads source",
        remedy: "write from: source in a layer, or remove the input")
    ) { try Self.graph(model) }
  }
}
