import Graph
import Testing

@Suite("Deriving the backward half")
struct BackwardTests {
  private let loss = LossSpec.softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil)

  private func differentiated(_ layers: [LayerKind], inputGradient: Bool = false) throws
    -> ModelGraph
  {
    let spec = ModelSpec(input: [4], layers: layers.map { LayerSpec($0) })
    return try GraphBuilder.forward(spec, loss: loss, mode: .training)
      .differentiated(inputGradient: inputGradient)
  }

  @Test("every parameter gets exactly one gradient")
  func everyParameter() throws {
    let block = [LayerSpec(.dense(DenseSpec(units: 4))), LayerSpec(.batchNorm(BatchNormSpec()))]
    let graph = try differentiated([
      .residual(main: block, shortcut: []),
      .parallel(branches: [block, [LayerSpec(.layerNorm(LayerNormSpec()))]], join: .multiply),
      .dense(DenseSpec(units: 3)),
    ])
    let gradients = graph.operations.flatMap(\.outputs).compactMap { output in
      if case .parameterGradient(let index) = graph[output].role { index } else { nil }
    }
    #expect(gradients.sorted() == Array(graph.parameters.indices))
  }

  @Test("the first layer computes no gradient of the input unless it is asked for")
  func inputGradientOnRequest() throws {
    let layers: [LayerKind] = [.dense(DenseSpec(units: 3))]
    let without = try differentiated(layers)
    #expect(!without.operations.map(\.kind.name).contains("dense_input_gradient"))
    #expect(without.inputGradient == nil)
    let with = try differentiated(layers, inputGradient: true)
    #expect(with.operations.map(\.kind.name).contains("dense_input_gradient"))
    #expect(with.inputGradient != nil)
  }

  @Test("a value with two readers gets the sum of both gradients")
  func fanOut() throws {
    let main = [LayerSpec(.dense(DenseSpec(units: 4)))]
    let graph = try differentiated([
      .dense(DenseSpec(units: 4)), .residual(main: main, shortcut: []), .dense(DenseSpec(units: 2)),
    ])
    #expect(
      graph.operations.map(\.kind.name) == [
        "dense", "dense", "add", "dense", "loss", "sum_losses", "count_correct",
        "bias_gradient", "dense_weight_gradient", "dense_input_gradient",
        "bias_gradient", "dense_weight_gradient", "dense_input_gradient", "add",
        "bias_gradient", "dense_weight_gradient",
      ])
  }
}
