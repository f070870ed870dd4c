import Graph
import Plan
import Testing

/// What recomputation does to the memory of a step.
@Suite("Plans that recompute")
struct RecomputedPlanTests {
  private static let loss = LossSpec.softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil)
  private static let (steps, channels, samples) = (64, 32, 4)

  /// A GPT whose loss reads few numbers, so that the blocks are what takes memory.
  private static func gpt(blocks: Int) -> [LayerSpec] {
    func layers(_ kinds: LayerKind...) -> [LayerSpec] { kinds.map { LayerSpec($0) } }
    var attention = AttentionSpec(heads: 4)
    attention.isCausal = true
    let block = layers(
      .residual(
        main: layers(
          .layerNorm(LayerNormSpec()), .attention(attention), .dropout(rate: 0.1)), shortcut: []),
      .residual(
        main: layers(
          .layerNorm(LayerNormSpec()), .dense(DenseSpec(units: 4 * channels)),
          .activation(.geluTanh), .dense(DenseSpec(units: channels)), .dropout(rate: 0.1)),
        shortcut: []))
    return layers(
      .embedding(EmbeddingSpec(vocabulary: 20, units: channels)), .dropout(rate: 0.1),
      .repeat(times: blocks, layers: block), .layerNorm(LayerNormSpec()),
      .dense(DenseSpec(units: 20)))
  }

  private func plan(blocks: Int, _ recompute: Recomputation) throws -> ExecutionPlan {
    let spec = ModelSpec(input: [Self.steps], layers: Self.gpt(blocks: blocks))
    return ExecutionPlan(
      training: try GraphBuilder.forward(spec, loss: Self.loss, mode: .training),
      capacity: Self.samples, options: PlanOptions(recompute: recompute))
  }

  @Test("a GPT of 12 blocks takes a sixth of the memory")
  func deep() throws {
    let kept = try plan(blocks: 12, .nothing)
    let again = try plan(blocks: 12, .blocks)
    #expect(again.faults() == [])
    #expect(
      again.arena.count * 6 < kept.arena.count, "\(kept.arena.count) -> \(again.arena.count)")
    #expect(again.leaf == kept.leaf && again.buckets == kept.buckets)
  }

  @Test("of a block more only the output takes memory")
  func slope() throws {
    let (some, more) = try (plan(blocks: 8, .blocks), plan(blocks: 16, .blocks))
    let output = Self.steps * Self.channels * Self.samples
    #expect((more.arena.count - some.arena.count) <= 8 * output)
  }

  @Test("copies are told from first passes in the printed plan")
  func text() throws {
    let plan = try plan(blocks: 2, .blocks)
    let names = plan.instructionNames
    let first = try #require(
      names.firstIndex(of: "layer_norm again [layers.2.1.0.main.0]"), "\(names)")
    #expect(try #require(names.firstIndex(of: "loss [loss]")) < first)
    #expect(names.count { $0 == "attention again [layers.2.0.0.main.1]" } == 1)
    #expect(plan.text.contains("  attention again [layers.2.0.0.main.1] %"))
  }
}
