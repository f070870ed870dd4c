import Graph
import Plan
import Testing

@Suite("Networks that translate, divided")
struct TranslationGraphTests {
  private let inputs = [NamedInput("source", [6]), NamedInput("target", [4])]

  private func embedding(from source: String? = nil, name: String? = nil) -> LayerSpec {
    var spec = LayerSpec(.embedding(EmbeddingSpec(vocabulary: 9, units: 4)), name: name)
    spec.source = source
    return spec
  }

  private func attention(memory: String? = nil, isCausal: Bool = false) -> LayerSpec {
    var spec = AttentionSpec(heads: 2)
    spec.memory = memory
    spec.isCausal = isCausal
    return LayerSpec(.attention(spec))
  }

  private func lstm(isBidirectional: Bool = false, name: String? = nil) -> LayerSpec {
    var spec = RecurrentSpec(cell: .lstm, units: 4)
    spec.isBidirectional = isBidirectional
    return LayerSpec(.recurrent(spec), name: name)
  }

  private func divided(_ layers: [LayerSpec]) throws -> TranslationGraph {
    let dense = LayerSpec(.dense(DenseSpec(units: 5)))
    return try TranslationGraph(
      GraphBuilder.forward(
        ModelSpec(inputs: inputs, layers: layers + [dense]),
        loss: .softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil), mode: .evaluation),
      inputs: inputs)
  }

  private func obstacle(_ layers: [LayerSpec]) -> TranslationGraph.Obstacle? {
    do { _ = try divided(layers) } catch { return error as? TranslationGraph.Obstacle }
    return nil
  }

  @Test("what reads the source alone is computed once, and what the decoder reads of it is kept")
  func division() throws {
    let divided = try divided([
      LayerSpec(.masking(value: 0)), embedding(), lstm(isBidirectional: true, name: "memory"),
      embedding(from: "target"), attention(isCausal: true), attention(memory: "memory"),
    ])
    let graph = divided.graph
    #expect(divided.encoder.lowerBound == 0)
    #expect(divided.encoder.upperBound == divided.decoder.lowerBound)
    #expect(divided.decoder.upperBound == graph.operations.count)
    let names = { (indices: Range<Int>) in indices.map { graph.operations[$0].kind.name } }
    #expect(
      names(divided.encoder) == [
        "slice", "sequence_lengths", "embedding", "dense", "lstm", "dense", "lstm", "concatenate",
        "dense",
      ])
    #expect(
      names(divided.decoder) == [
        "slice", "embedding", "dense", "attention", "dense", "dense", "attention", "dense", "dense",
      ])
    #expect(divided.target == 6..<10)
    // The input, keys and values of the memory, and its lengths.
    let kept = divided.encoder.suffix(1).flatMap { graph.operations[$0].outputs }
    let lengths = graph.operations[1].outputs
    #expect(divided.held == Set(kept + lengths + [graph.input]))
  }

  @Test("a decoder that looks ahead is named, and a network of another shape refused")
  func obstacles() throws {
    let memory = embedding(name: "memory")
    #expect(
      obstacle([memory, embedding(from: "target"), attention(), attention(memory: "memory")])
        == .lookahead(layer: "layers.2"))
    #expect(
      obstacle([
        memory, embedding(from: "target"), attention(memory: "memory"), lstm(isBidirectional: true),
      ]) == .lookahead(layer: "layers.3"))
    // The source looks at the target.
    #expect(
      obstacle([embedding(), embedding(from: "target", name: "later"), attention(memory: "later")])
        == .lookahead(layer: "layers.2"))
    #expect(
      obstacle([
        embedding(from: "target", name: "later"), embedding(from: "source"),
        attention(memory: "later"),
      ]) == .shape)
  }
}
