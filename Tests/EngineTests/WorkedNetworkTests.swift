import Engine
import Graph
import Kernels
import Plan
import Storage
import Testing

/// The worked example of the deep-learning refresher: three inputs, four relu units, one sigmoid.
///
/// The notes print an output of 0.4544; it comes from wrong intermediate values. From the weights they
/// give, z1 = [.13, .61, -.43, .44] and z2 = -.139 follow, and sigmoid(-.139) = 0.465306.
@Suite("The refresher's worked network")
struct WorkedNetworkTests {
  @Test("z1, z2 and the output", arguments: [GraphMode.training, .evaluation])
  func forward(mode: GraphMode) throws {
    let spec = ModelSpec(
      input: [3],
      layers: [
        LayerSpec(.dense(DenseSpec(units: 4))), LayerSpec(.activation(.relu)),
        LayerSpec(.dense(DenseSpec(units: 1))), LayerSpec(.activation(.sigmoid)),
      ])
    #expect(try output(of: spec, upTo: 1, mode) == [0.13, 0.61, -0.43, 0.44])
    #expect(try output(of: spec, upTo: 3, mode) == [-0.139])
    #expect(try output(of: spec, upTo: 4, mode) == [0.465306])
  }

  /// The first layers' output, rounded to six digits.
  private func output(of spec: ModelSpec, upTo count: Int, _ mode: GraphMode) throws -> [Double] {
    let part = ModelSpec(input: spec.input, layers: Array(spec.layers.prefix(count)))
    let plan = ExecutionPlan(
      inference: try GraphBuilder.forward(part, loss: nil, mode: mode), capacity: 1)
    let model = ModelMemory<Double>(plan)
    let weights: [[Double]] = [
      [0.2, -0.1, 0.4, 0.5, 0.3, -0.2, -0.3, 0.1, 0.6, 0.1, 0.4, 0.2], [0.1, -0.1, 0, 0.2],
      [0.3, -0.2, 0.5, 0.1], [-0.1],
    ]
    for index in plan.graph.parameters.indices {
      model.setParameter(index, fileOrder: weights[index])
    }
    let engine = ShardEngine(plan, model: model, usesClasses: false, seed: 1)
    engine.input.copy(from: [1, 0.5, -0.3])
    engine.beginShard(rows: 1, batchSize: 1, step: 0, firstSample: 0, leaf: nil)
    engine.runInference()
    return engine.output.array.map { ($0 * 1e6).rounded() / 1e6 }
  }
}
