import Engine
import Graph
import Plan
import Testing

/// The backward rules of layers of sequences against central differences in Double.
@Suite("Gradients of sequence layers against central differences")
struct SequenceGradientTests {
  typealias Case = GradientCheckTests.Case

  static func recurrent(
    _ cell: RecurrentCell, units: Int = 5, layers: Int = 1, isBidirectional: Bool = false,
    outputs: RecurrentOutputs = .sequence, bias: Bool = true
  ) -> LayerKind {
    var spec = RecurrentSpec(cell: cell, units: units)
    spec.layers = layers
    spec.isBidirectional = isBidirectional
    spec.outputs = outputs
    spec.bias = bias
    return .recurrent(spec)
  }

  static func attention(
    heads: Int, isCausal: Bool = false, bias: Bool = true, rotaryBase: Double? = nil
  ) -> LayerKind {
    var spec = AttentionSpec(heads: heads)
    spec.isCausal = isCausal
    spec.bias = bias
    spec.rotaryBase = rotaryBase
    return .attention(spec)
  }

  static func conv1d(
    _ filters: Int, kernel: Int, stride: Int = 1, padding: SequencePadding = .same,
    dilation: Int = 1
  ) -> LayerKind {
    var spec = Conv1DSpec(filters: filters, kernel: kernel)
    spec.stride = stride
    spec.padding = padding
    spec.dilation = dilation
    return .conv1d(spec)
  }

  static func dense(_ units: Int, _ bias: Bool) -> LayerKind {
    GradientCheckTests.dense(units, bias: bias)
  }

  static let cases: [Case] = [
    Case("dense at every step", [5, 3], [dense(4, true), .activation(.tanh), dense(3, true)]),
    Case("simple rnn", [6, 3], [recurrent(.tanh), dense(3, true)]),
    Case("simple rnn, relu", [6, 3], [recurrent(.relu), dense(3, true)]),
    Case("simple rnn, one step", [1, 3], [recurrent(.tanh), dense(3, true)]),
    Case("lstm", [6, 3], [recurrent(.lstm), dense(3, true)]),
    Case("lstm, 17 units", [3, 2], [recurrent(.lstm, units: 17), dense(3, true)]),
    Case("lstm without bias", [4, 3], [recurrent(.lstm, bias: false), dense(3, true)]),
    Case("lstm, last state", [5, 3], [recurrent(.lstm, outputs: .last), dense(3, true)]),
    Case(
      "lstm, two layers, both ways", [5, 3],
      [recurrent(.lstm, units: 4, layers: 2, isBidirectional: true), dense(3, true)]),
    Case(
      "lstm, both ways, last state", [5, 3],
      [recurrent(.lstm, units: 4, isBidirectional: true, outputs: .last), dense(3, true)]),
    Case("gru, reset after", [6, 3], [recurrent(.gru(resetAfter: true)), dense(3, true)]),
    Case("gru, reset before", [6, 3], [recurrent(.gru(resetAfter: false)), dense(3, true)]),
    Case(
      "gru, reset before, both ways", [5, 3],
      [recurrent(.gru(resetAfter: false), units: 17, isBidirectional: true), dense(2, true)]),
    Case(
      "gru, reset after, backwards, last state", [5, 3],
      [recurrent(.gru(resetAfter: true), isBidirectional: true, outputs: .last), dense(3, true)]),
    Case("attention", [5, 6], [attention(heads: 2), dense(3, true)]),
    Case("attention, causal", [7, 6], [attention(heads: 3, isCausal: true), dense(3, true)]),
    Case(
      "attention, several blocks of queries", [35, 2],
      [attention(heads: 1, isCausal: true, bias: false), dense(2, true)]),
    Case(
      "attention, rotary", [5, 8],
      [attention(heads: 2, isCausal: true, rotaryBase: 100), dense(3, true)]),
    Case("rms norm", [4, 5], [.rmsNorm(RMSNormSpec()), dense(3, true)]),
    Case("positions", [4, 5], [.positions(.learned(.zeros)), dense(3, true)]),
    Case("sinusoidal positions", [4, 5], [.positions(.sinusoidal), dense(3, true)]),
    Case(
      "class token, first step", [4, 5], [.classToken, dense(4, true), .firstStep, dense(3, true)]),
    Case("last step", [4, 5], [dense(4, true), .lastStep, dense(3, true)]),
    Case("conv1d", [7, 3], [conv1d(4, kernel: 3), dense(2, true)]),
    Case("conv1d, stride 2, causal", [8, 3], [conv1d(4, kernel: 3, stride: 2, padding: .causal)]),
    Case(
      "conv1d, dilation 2, 17 filters", [9, 2],
      [conv1d(17, kernel: 2, padding: .amount(2), dilation: 2)]),
    Case("mean over the steps", [4, 5], [dense(4, true), .globalAveragePool, dense(3, true)]),
    Case(
      "transformer block", [5, 4],
      [
        .residual(
          main: GradientCheckTests.layers(
            .layerNorm(LayerNormSpec()), attention(heads: 2, isCausal: true)), shortcut: []),
        .residual(
          main: GradientCheckTests.layers(
            .rmsNorm(RMSNormSpec()), dense(8, true), .activation(.gelu), dense(4, true)),
          shortcut: []),
        dense(3, true),
      ]),
  ]

  @Test("every layer, every parameter and the input", arguments: cases)
  func everyLayer(_ example: Case) throws {
    let network = try SmallNetwork(input: example.input, example.layers, loss: example.loss)
    let isSmooth = !example.testDescription.contains("relu")
    network.run()
    let inputGradient = try #require(network.engine.inputGradient).array
    let gradients = network.parameterGradients
    for (index, parameter) in network.plan.graph.parameters.enumerated() {
      let error = network.relativeError(
        gradients[index], of: network.model.parameter(index), isSmooth: isSmooth)
      #expect(error < 1e-7, "\(parameter.name): \(error)")
    }
    let error = network.relativeError(
      inputGradient, of: network.engine.input, isSmooth: isSmooth)
    #expect(error < 1e-7, "input: \(error)")
  }

  static let tokenCases: [Case] = [
    Case("embedding", [5], [.embedding(EmbeddingSpec(vocabulary: 7, units: 4)), dense(3, true)]),
    Case(
      "embedding, shared by the last layer", [6],
      [
        .embedding(EmbeddingSpec(vocabulary: 7, units: 4)), .positions(.learned(.zeros)),
        .activation(.tanh), .tiedDense(embedding: "layers.0"),
      ]),
    Case(
      "embedding, shared twice", [4],
      [
        .embedding(EmbeddingSpec(vocabulary: 5, units: 5)), .tiedDense(embedding: "layers.0"),
        .activation(.tanh), .tiedDense(embedding: "layers.0"),
      ]),
  ]

  @Test("tokens, every parameter", arguments: tokenCases)
  func tokens(_ example: Case) throws {
    let network = try SmallNetwork(
      input: example.input, example.layers, loss: example.loss, tokens: 5)
    let isSmooth = true
    network.run()
    let gradients = network.parameterGradients
    for (index, parameter) in network.plan.graph.parameters.enumerated() {
      let error = network.relativeError(
        gradients[index], of: network.model.parameter(index), isSmooth: isSmooth)
      #expect(error < 1e-7, "\(parameter.name): \(error)")
    }
  }

  @Test("a token that is no word gives numbers that are none")
  func unknownToken() throws {
    let network = try SmallNetwork(
      input: [3], [.embedding(EmbeddingSpec(vocabulary: 2, units: 4)), Self.dense(3, true)],
      loss: GradientCheckTests.softmax, tokens: 2)
    network.engine.input[1] = 2
    #expect(network.run().isNaN)
  }

  @Test("a causal step does not depend on later ones")
  func causality() throws {
    let network = try SmallNetwork(
      input: [40, 4], [Self.attention(heads: 2, isCausal: true), Self.recurrent(.lstm)],
      loss: .meanSquared, rows: 1, classes: false)
    network.run()
    let before = network.engine.output.array
    network.fillInput()
    network.engine.input[39 * 4] += 1
    network.run()
    let after = network.engine.output.array
    #expect(Array(before.dropLast(5)) == Array(after.dropLast(5)))
    #expect(Array(before.suffix(5)) != Array(after.suffix(5)))
  }

  @Test("a sequence's bits do not depend on the others")
  func rowsAreAlone() throws {
    let layers = [
      Self.attention(heads: 2), Self.recurrent(.gru(resetAfter: true), isBidirectional: true),
      .rmsNorm(RMSNormSpec()), Self.dense(3, true),
    ]
    func outputs(rows: Int) throws -> [Double] {
      let network = try SmallNetwork(
        input: [9, 6], layers, loss: GradientCheckTests.softmax, rows: rows)
      network.run()
      return network.engine.output.array
    }
    let many = try outputs(rows: 17)
    for rows in [1, 2, 5] { #expect(try outputs(rows: rows) == Array(many.prefix(rows * 27))) }
  }
}
