import CAllocationCount
import Engine
import Graph
import Testing

/// Steps that compute blocks a second time beside steps that keep them.
@Suite("Recomputed steps")
struct RecomputedStepTests {
  struct Example: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var input: [Int]
    var layers: [LayerKind]
  }

  private static func specs(_ kinds: [LayerKind]) -> [LayerSpec] { kinds.map { LayerSpec($0) } }

  static let examples: [Example] = {
    var conv = Conv2DSpec(filters: 3, kernel: Extent(3))
    conv.padding = .same
    let normed: [LayerKind] = [
      .conv2d(conv), .batchNorm(BatchNormSpec()), .activation(.relu), .spatialDropout(rate: 0.2),
      .conv2d(conv), .batchNorm(BatchNormSpec()),
    ]
    var cell = RecurrentSpec(cell: .lstm, units: 6)
    cell.layers = 2
    cell.dropout = 0.3
    cell.carriesState = true
    let attention: [LayerKind] = [
      .rmsNorm(RMSNormSpec()), .attention(AttentionSpec(heads: 2)), .dropout(rate: 0.2),
    ]
    let wide: [LayerKind] = [
      .layerNorm(LayerNormSpec()), .dense(DenseSpec(units: 12)), .activation(.gelu),
      .dropout(rate: 0.2), .dense(DenseSpec(units: 6)),
    ]
    return [
      Example(
        testDescription: "residual blocks with batch norm", input: [6, 6, 3],
        layers: [
          .repeat(
            times: 3,
            layers: specs([
              .residual(main: specs(normed), shortcut: []), .activation(.relu),
            ])), .globalAveragePool, .dense(DenseSpec(units: 4)),
        ]),
      Example(
        testDescription: "blocks of a transformer", input: [5, 6],
        layers: [
          .repeat(
            times: 3,
            layers: specs([
              .residual(main: specs(attention), shortcut: []),
              .residual(main: specs(wide), shortcut: []),
            ])), .lastStep, .dense(DenseSpec(units: 4)),
        ]),
      Example(
        testDescription: "recurrent blocks and draws", input: [5, 6],
        layers: [
          .repeat(times: 2, layers: specs([.recurrent(cell)])), .lastStep,
          .sequence(specs([.dense(DenseSpec(units: 8)), .gaussianSample, .activation(.tanh)])),
          .dense(DenseSpec(units: 4)),
        ]),
    ]
  }()

  @Test(
    "the same bits, also in steps of fewer samples and of shards without any", arguments: examples)
  func sameBits(_ example: Example) throws {
    for fusion in [true, false] {
      let kept = try SmallStep(
        input: example.input, example.layers, batch: 16, shards: 4, fusion: fusion)
      let again = try SmallStep(
        input: example.input, example.layers, batch: 16, shards: 4, fusion: fusion,
        recompute: .blocks)
      #expect(again.plan.graph.recomputedBlockCount > 0)
      #expect(again.plan.arena.count < kept.plan.arena.count)
      for (step, count) in [16, 16, 7, 2, 16].enumerated() {
        let results = try [kept, again].map { try $0.take(step, of: count) }
        #expect(results[0].loss == results[1].loss, "step \(step)")
        #expect(results[0].gradientNorm == results[1].gradientNorm)
        #expect(again.bits == kept.bits, "step \(step)")
      }
    }
  }

  @Test("a step allocates nothing after the first", arguments: examples)
  func allocations(_ example: Example) throws {
    let step = try SmallStep(
      input: example.input, example.layers, batch: 16, shards: 4, recompute: .blocks)
    let load = step.load
    _ = try step.steps.run(step.batch(0, of: 16), load: load)
    let before = allocation_count_of_thread()
    for number in 1...10 {
      _ = try step.steps.run(step.batch(number, of: number % 5 == 0 ? 10 : 16), load: load)
    }
    let count = allocation_count_of_thread() - before
    #expect(count == 0, "\(count) allocations in 10 steps")
  }

  @Test("a step that is not finite is traced to forward, not to a copy")
  func notFinite() throws {
    let example = Self.examples[1]
    let step = try SmallStep(
      input: example.input, example.layers, batch: 8, shards: 4, recompute: .blocks)
    let weight = try #require(
      step.model.parameterList.firstIndex { $0.name == "layers.0.2.1.main.1.weight" })
    step.model.parameter(weight)[3] = .infinity
    #expect(throws: NotFinite.self) { try step.take(0, of: 8) }
    let first = try #require(try step.steps.firstNotFinite(step.batch(0, of: 8), load: step.load))
    let operation = step.plan.graph.operations[first]
    #expect(operation.layer == "layers.0.2.1.main.1" && !operation.isRecomputed)
  }
}
