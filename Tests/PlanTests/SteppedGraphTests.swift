import Graph
import Plan
import Testing

@Suite("Networks step by step")
struct SteppedGraphTests {
  private func graph(_ layers: [LayerKind], steps: Int = 6) throws -> ModelGraph {
    let model = ModelSpec(
      input: [steps],
      layers: ([.embedding(EmbeddingSpec(vocabulary: 9, units: 4))] + layers).map { LayerSpec($0) })
    return try GraphBuilder.forward(
      model, loss: .softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil), mode: .evaluation)
  }

  private func obstacle(_ layers: [LayerKind]) throws -> SteppedGraph.Obstacle? {
    let whole = try graph(layers)
    do throws(SteppedGraph.Obstacle) { _ = try SteppedGraph(whole) } catch {
      return error
    }
    return nil
  }

  @Test("every value holds one step, parameters stay, the loss goes")
  func values() throws {
    var attention = AttentionSpec(heads: 2)
    attention.isCausal = true
    let whole = try graph([
      .positions(.sinusoidal), .attention(attention),
      .recurrent(RecurrentSpec(cell: .lstm, units: 5)),
      .dense(DenseSpec(units: 9)),
    ])
    let stepped = try SteppedGraph(whole)
    #expect(stepped.steps == 6)
    #expect(stepped.graph.parameters == whole.parameters)
    #expect(stepped.graph[stepped.graph.input].elementCount == 1)
    #expect(stepped.graph[stepped.graph.output].elementCount == 9)
    #expect(stepped.graph.outputShape == [9] && stepped.graph.target == nil)
    #expect(stepped.graph.answers == 1)
    let flops = stepped.graph.operations.map { operation -> Int in
      if case .attention = operation.kind { return 0 }
      return operation.kind.flops
    }.reduce(0, +)
    #expect(flops == 2 * (4 * 12 + 4 * 4 + 4 * 20 + 5 * 20 + 5 * 9))
  }

  @Test("layers that carry their states go on without end, unless something ends with a window")
  func carried() throws {
    // Units that the steps do not divide.
    var lstm = RecurrentSpec(cell: .lstm, units: 5)
    lstm.carriesState = true
    let gru = RecurrentSpec(cell: .gru(resetAfter: true), units: 5)
    var conv = Conv1DSpec(filters: 4, kernel: 2)
    conv.padding = .causal
    #expect(try SteppedGraph(graph([.recurrent(lstm)])).steps == nil)
    #expect(try SteppedGraph(graph([.recurrent(lstm), .recurrent(gru)])).steps == 6)
    #expect(try SteppedGraph(graph([.positions(.sinusoidal), .recurrent(lstm)])).steps == 6)
    #expect(try SteppedGraph(graph([.conv1d(conv), .recurrent(lstm)])).steps == 6)
    let stepped = try SteppedGraph(graph([.recurrent(lstm)])).graph
    #expect(stepped.operations.map(\.kind.name) == ["embedding", "dense", "lstm"])
    #expect(stepped.states.isEmpty)
  }

  @Test("what needs more than the step in hand is named")
  func obstacles() throws {
    var bidirectional = RecurrentSpec(cell: .lstm, units: 3)
    bidirectional.isBidirectional = true
    var conv = Conv1DSpec(filters: 4, kernel: 3)
    conv.padding = .same
    #expect(
      try obstacle([.attention(AttentionSpec(heads: 1))])
        == SteppedGraph.Obstacle(layer: "layers.1", operation: "attention"))
    #expect(try obstacle([.recurrent(bidirectional)])?.operation == "lstm")
    #expect(try obstacle([.conv1d(conv)])?.operation == "conv2d")
    #expect(try obstacle([.globalAveragePool, .dense(DenseSpec(units: 9))])?.layer == "layers.1")
    #expect(try obstacle([.lastStep, .dense(DenseSpec(units: 9))])?.operation == "step")
  }
}
