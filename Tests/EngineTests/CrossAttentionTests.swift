import Engine
import Graph
import Plan
import Testing

/// Attention to another sequence, and samples of several inputs: against central differences in Double.
@Suite("Cross attention and several inputs")
struct CrossAttentionTests {
  typealias References = ReferenceGradientTests

  struct Case: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var model: ModelSpec
    /// Steps of each row's first input that count.
    var lengths: [Int]?
    var tokens: Int?

    init(_ description: String, _ input: [Int], _ layers: [LayerSpec]) {
      testDescription = description
      model = ModelSpec(input: input, layers: layers)
    }

    init(
      _ description: String, _ inputs: [NamedInput], _ layers: [LayerSpec], lengths: [Int]? = nil,
      tokens: Int? = nil
    ) {
      testDescription = description
      model = ModelSpec(inputs: inputs, layers: layers)
      (self.lengths, self.tokens) = (lengths, tokens)
    }
  }

  static func attention(
    heads: Int, memory: String, bias: Bool = true, from source: String? = nil
  ) -> LayerSpec {
    var spec = AttentionSpec(heads: heads)
    (spec.memory, spec.bias) = (memory, bias)
    return References.layer(.attention(spec), from: source)
  }

  private static func layer(
    _ kind: LayerKind, _ name: String? = nil, from source: String? = nil
  ) -> LayerSpec { References.layer(kind, name, from: source) }

  private static func dense(
    _ units: Int, _ name: String? = nil, from source: String? = nil
  ) -> LayerSpec { References.dense(units, name, from: source) }

  private static func embedding(_ units: Int, from source: String? = nil) -> LayerSpec {
    layer(.embedding(EmbeddingSpec(vocabulary: 7, units: units)), from: source)
  }

  private static let masking = LayerKind.masking(value: 0)
  private static let end = References.dense(3)
  /// One whole sequence, one empty, one of a single step.
  private static let lengths = [6, 4, 0, 1, 5]

  static let unpadded: [Case] = [
    Case(
      "a memory of other channels", [5, 4],
      [
        dense(3, "memory"), References.tanh, dense(6, from: "input"),
        attention(heads: 2, memory: "memory"), end,
      ]),
    Case(
      "a memory of fewer steps, no bias", [7, 4],
      [
        layer(SequenceGradientTests.conv1d(5, kernel: 3, stride: 2, padding: .valid), "memory"),
        dense(6, from: "input"), attention(heads: 3, memory: "memory", bias: false), end,
      ]),
    Case(
      "more keys than a block of queries, and more queries", [70, 2],
      [
        layer(SequenceGradientTests.conv1d(2, kernel: 3, stride: 2, padding: .valid), "memory"),
        layer(
          SequenceGradientTests.conv1d(2, kernel: 2, padding: .valid), from: "input"),
        attention(heads: 1, memory: "memory"), dense(2),
      ]),
    Case(
      "the input as the memory", [4, 3], [dense(4), attention(heads: 2, memory: "input"), end]),
    Case(
      "one memory for two layers, and beside them", [4, 5],
      [
        dense(4), layer(.activation(.tanh), "memory"), dense(4, from: "input"),
        layer(
          .residual(
            main: [
              layer(.layerNorm(LayerNormSpec())), attention(heads: 2, memory: "memory"),
            ], shortcut: [])),
        layer(.residual(main: [attention(heads: 1, memory: "memory")], shortcut: [])),
        References.join(["memory"], .add), end,
      ]),
    Case(
      "a query of one sequence, keys of another",
      [NamedInput("source", [6, 4]), NamedInput("target", [3, 5])],
      [
        dense(4, "memory"), dense(6, from: "target"), attention(heads: 2, memory: "memory"), end,
      ]),
    Case(
      "one input as it is, one to multiply by",
      [NamedInput("a", [4]), NamedInput("b", [2, 2]), NamedInput("c", [1])],
      [
        dense(4), layer(.join(JoinSpec(sources: ["a"])), "both"),
        layer(.flatten(.channelsLast), from: "b"), References.join(["both", "c"], .concat), end,
      ]),
  ]

  static let padded: [Case] = [
    Case(
      "padded keys", [NamedInput("source", [6, 4]), NamedInput("target", [3, 5])],
      [
        layer(masking), dense(4, "memory"), dense(6, from: "target"),
        attention(heads: 2, memory: "memory"), end,
      ], lengths: lengths),
    Case(
      "padded queries", [NamedInput("source", [6, 4]), NamedInput("other", [3, 5])],
      [layer(masking), dense(6), attention(heads: 2, memory: "other"), end], lengths: lengths),
    Case(
      "padded queries and keys, the same", [NamedInput("source", [6, 4])],
      [
        layer(masking, "masked"), layer(SequenceGradientTests.recurrent(.tanh), "memory"),
        dense(4, from: "masked"), attention(heads: 2, memory: "memory"), end,
      ], lengths: lengths),
    Case(
      "padded keys, a mean over all queries",
      [NamedInput("source", [6, 4]), NamedInput("target", [3, 5])],
      [
        layer(masking, "memory"), dense(6, from: "target"),
        attention(heads: 3, memory: "memory"), layer(.globalAveragePool), end,
      ], lengths: lengths),
    Case(
      "an encoder and a decoder of tokens", [NamedInput("source", [6]), NamedInput("target", [4])],
      [
        layer(masking), embedding(4), layer(.positions(.sinusoidal)),
        layer(
          .residual(
            main: [
              layer(.layerNorm(LayerNormSpec())), layer(SequenceGradientTests.attention(heads: 2)),
            ],
            shortcut: [])),
        layer(.layerNorm(LayerNormSpec()), "memory"), embedding(6, from: "target"),
        layer(
          .residual(
            main: [
              layer(.layerNorm(LayerNormSpec())),
              layer(SequenceGradientTests.attention(heads: 2, isCausal: true)),
            ], shortcut: [])),
        layer(
          .residual(
            main: [layer(.layerNorm(LayerNormSpec())), attention(heads: 3, memory: "memory")],
            shortcut: [])),
        end,
      ], lengths: lengths, tokens: 7),
  ]

  private func network(_ example: Case) throws -> SmallNetwork {
    try SmallNetwork(
      example.model, loss: GradientCheckTests.softmax, tokens: example.tokens,
      lengths: example.lengths)
  }

  @Test("every parameter and every input that counts", arguments: unpadded + padded)
  func gradients(_ example: Case) throws {
    let network = try network(example)
    guard let gradient = try network.expectGradients(ofInput: example.tokens == nil) else { return }
    #expect(gradient.indices.allSatisfy { network.isCounted($0) || gradient[$0] == 0 })
  }

  @Test("a padded memory is as good as a shorter one", arguments: padded)
  func alone(_ example: Case) throws {
    let network = try network(example)
    network.run()
    let outputs = network.engine.output.array
    let width = outputs.count / Self.lengths.count
    let isPadded = network.plan.graph.outputShape.first == example.model.inputs[0].shape[0]
    for (row, length) in Self.lengths.enumerated() where length > 0 {
      var inputs = example.model.inputs
      inputs[0].shape[0] = length
      let shorter = try SmallNetwork(
        ModelSpec(inputs: inputs, layers: example.model.layers),
        loss: GradientCheckTests.softmax, rows: 1, tokens: example.tokens)
      network.fillInput()
      let elements = network.engine.input.count / Self.lengths.count
      let first = example.model.inputs[0].elementCount
      let sample = network.engine.input[row * elements..<(row + 1) * elements].array
      shorter.engine.input.copy(from: Array(sample[..<inputs[0].elementCount] + sample[first...]))
      shorter.engine.beginShard(
        rows: 1, batchSize: 1, step: 0, firstSample: 0, leaf: shorter.leaf.block)
      shorter.engine.runAll()
      let alone = shorter.engine.output.array
      let together = outputs[
        row * width..<row * width + (isPadded ? width / steps(of: example) * length : width)]
      let worst = zip(alone, together).map { abs($0 - $1) }.max() ?? 1
      #expect(alone.count == together.count && worst < 1e-13, "length \(length): \(worst)")
    }
  }

  /// Of the first input.
  private func steps(of example: Case) -> Int { example.model.inputs[0].shape[0] }

  @Test("no gradient goes to a memory behind stop_gradient, nor to one that is frozen")
  func stopped() throws {
    func gradients(_ change: (inout [LayerSpec]) -> Void) throws -> [[Double]] {
      var layers = [
        Self.dense(3), Self.layer(.activation(.tanh), "memory"), Self.dense(6, from: "input"),
        Self.attention(heads: 2, memory: "memory"), Self.end,
      ]
      change(&layers)
      let network = try SmallNetwork(
        input: [5, 4], layers: layers, loss: GradientCheckTests.softmax)
      network.run()
      return network.parameterGradients
    }
    let all = try gradients { _ in }
    let stopped = try gradients { $0[1] = Self.layer(.stopGradient, "memory") }
    let frozen = try gradients { $0[0].isTrained = false }
    #expect(all.allSatisfy { $0.contains { $0 != 0 } })
    #expect(stopped[0...1].allSatisfy { $0.allSatisfy { $0 == 0 } })
    #expect(frozen[0...1].allSatisfy { $0.allSatisfy { $0 == 0 } })
    #expect(Array(frozen[2...]) == Array(all[2...]))
  }

  @Test("nothing is allocated, forward and backward")
  func allocations() throws {
    for example in Self.unpadded + Self.padded {
      let network = try network(example)
      network.expectNoAllocations(of: example.testDescription)
    }
  }
}
