import Diagnostics
import Graph
import Testing

/// Where states go from window to window, and where they cannot go.
@Suite("Lowering of layers that carry their states")
struct CarriedLoweringTests {
  private func graph(_ layers: [LayerSpec]) throws -> ModelGraph {
    let specs = layers.enumerated().map { index, layer in
      var layer = layer
      layer.place = "net.yaml:\(index + 5):7"
      return layer
    }
    return try GraphBuilder.forward(
      ModelSpec(input: [6, 4], layers: specs), loss: nil, mode: .training)
  }

  private func lstm(_ layers: Int = 1) -> LayerKind {
    var spec = RecurrentSpec(cell: .lstm, units: 4)
    (spec.layers, spec.carriesState) = (layers, true)
    return .recurrent(spec)
  }

  @Test("every walk has states of its own, named after its parameters")
  func names() throws {
    let graph = try graph([
      LayerSpec(lstm(2), name: "memory"),
      LayerSpec(.repeat(times: 2, layers: [LayerSpec(lstm())])),
    ])
    #expect(
      graph.states.map(\.name) == [
        "layers.memory.h_l0", "layers.memory.c_l0", "layers.memory.h_l1", "layers.memory.c_l1",
        "layers.1.0.0.h_l0", "layers.1.0.0.c_l0", "layers.1.1.0.h_l0", "layers.1.1.0.c_l0",
      ])
    #expect(graph.states.allSatisfy { $0.units == 4 })
    let read = graph.operations.filter { if case .recallState = $0.kind { true } else { false } }
    let written = graph.operations.filter { if case .keepState = $0.kind { true } else { false } }
    #expect(read.map { graph[$0.inputs[0]].role } == (0..<8).map { .state($0) })
    #expect(written.map { graph[$0.outputs[0]].role } == (0..<8).map { .nextState($0) })
  }

  @Test("no gradient is asked of what the window before left")
  func constants() throws {
    var spec = ModelSpec(input: [6, 4], layers: [LayerSpec(lstm())])
    spec.layers.append(LayerSpec(.dense(DenseSpec(units: 3))))
    let forward = try GraphBuilder.forward(
      spec, loss: .softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil), mode: .training)
    let backward = forward.differentiated().operations[forward.operations.count...]
    #expect(
      backward.map(\.kind.name) == [
        "bias_gradient", "dense_weight_gradient", "dense_input_gradient", "lstm_gradient",
        "bias_gradient", "lstm_weight_gradient", "bias_gradient", "dense_weight_gradient",
      ])
  }

  @Test("padded sequences and layers that are applied twice are refused")
  func faults() throws {
    func fault(_ layers: [LayerSpec]) throws -> String {
      "\(try #require(throws: Diagnostic.self) { try graph(layers) })"
    }
    #expect(
      try fault([LayerSpec(.masking(value: 0)), LayerSpec(lstm())]) == """
        net.yaml:6:7: layers.1 (lstm) carries its state from window to window, but its sequences are padded
          expected: windows of one long sequence, which are full to the last step
          to fix:   remove carry, or masking
        """)
    let shared = [
      LayerSpec(.sequence([LayerSpec(lstm(), place: "net.yaml:5:20")]), name: "twin"),
      LayerSpec(.shared(layer: "twin")),
    ]
    #expect(
      try fault(shared) == """
        net.yaml:6:7: layers.1 (shared) would apply lstm at net.yaml:5:20 twice, which carries the state of one application
          expected: layers that start every window from zeros
          to fix:   remove carry, or write the layer out instead of sharing it
        """)
  }
}
