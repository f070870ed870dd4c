import Graph
import Plan
import Testing

@Suite("Execution plan")
struct ExecutionPlanTests {
  private let loss = LossSpec.softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil)

  private func layers(_ kinds: LayerKind...) -> [LayerSpec] { kinds.map { LayerSpec($0) } }

  private func conv(_ filters: Int) -> LayerKind {
    var spec = Conv2DSpec(filters: filters, kernel: Extent(3))
    spec.padding = .same
    spec.bias = false
    return .conv2d(spec)
  }

  private func forward(_ input: [Int], _ layers: [LayerSpec], mode: GraphMode = .training) throws
    -> ModelGraph
  {
    try GraphBuilder.forward(ModelSpec(input: input, layers: layers), loss: loss, mode: mode)
  }

  @Test("a small network as text")
  func smallNetwork() throws {
    let graph = try forward(
      [4],
      layers(.dense(DenseSpec(units: 8)), .activation(.relu), .dense(DenseSpec(units: 3))))
    let plan = ExecutionPlan(
      training: graph, capacity: 2, options: PlanOptions(bucketElements: 40))
    #expect(
      plan.text == """
        plan: 12 operations, 3 buckets, arena 80 elements for 2 samples, leaf 144 elements
        for each micro-shard:
          dense [layers.0] %0@32+8, layers.0.weight, layers.0.bias -> %3@0+16
          relu [layers.1] %3@0+16 -> %4@0+16
          dense [layers.2] %4@0+16, layers.2.weight, layers.2.bias -> %7@16+6
          loss [loss] %7@16+6, target -> %9@64+2, %10@48+6
          sum_losses [loss] %9@64+2 -> loss
          count_correct [loss] %7@16+6, target -> correct
          bias_gradient [layers.2] %10@48+6 -> gradient.layers.2.bias
          end-leaf, start-sum bucket 0 0+64
          dense_weight_gradient [layers.2] %4@0+16, %10@48+6 -> gradient.layers.2.weight
          poll
          dense_input_gradient [layers.2] %10@48+6, layers.2.weight -> %15@16+16
          poll
          relu_gradient [layers.1] %4@0+16, %15@16+16 -> %16@16+16
          poll
          bias_gradient [layers.0] %16@16+16 -> gradient.layers.0.bias
          end-leaf, start-sum bucket 1 64+48
          dense_weight_gradient [layers.0] %0@32+8, %16@16+16 -> gradient.layers.0.weight
          end-leaf, start-sum bucket 2 112+32
        then:
          wait-sum bucket 0
          wait-sum bucket 1
          wait-sum bucket 2
          check finite, clip
          update bucket 0
          update bucket 1
          update bucket 2

        """)
    // Lines without their indentation; the first and the two headings are no instructions.
    let lines = plan.text.split(separator: "\n").filter { $0.hasPrefix("  ") }.map {
      $0.dropFirst(2)
    }
    let names = plan.instructionNames
    #expect(names.count == lines.count)
    #expect(zip(names, lines).allSatisfy { $1 == $0 || $1.hasPrefix($0 + " ") }, "\(names)")
    #expect(names[7] == "end-leaf, start-sum bucket 0" && names[12] == "relu_gradient [layers.1]")
  }

  @Test(
    "all shapes of structure give sound plans, with and without fusion", arguments: [true, false])
  func soundPlans(fusion: Bool) throws {
    let block = layers(conv(4), .batchNorm(BatchNormSpec()), .activation(.relu))
    let net =
      block
      + layers(
        .residual(main: block + layers(conv(4)), shortcut: []),
        .parallel(branches: [block, layers(conv(2)), []], join: .concat),
        .dropout(rate: 0.3), .maxPool(PoolSpec(size: Extent(2))), .layerNorm(LayerNormSpec()),
        .repeat(times: 3, layers: layers(conv(6), .activation(.gelu))), .globalAveragePool,
        .parallel(
          branches: [
            layers(.dense(DenseSpec(units: 5)), .activation(.sigmoid)),
            layers(.dense(DenseSpec(units: 5))),
          ], join: .multiply), .dense(DenseSpec(units: 3)))
    var options = PlanOptions(fusion: fusion, bucketElements: 64)
    for holds in [true, false] {
      for recompute in [Recomputation.nothing, .blocks] {
        options.recompute = recompute
        let plan = try ExecutionPlan(
          training: forward([8, 8, 3], net), capacity: 3, options: options, holdsOutput: holds,
          inputGradient: holds)
        #expect(plan.faults() == [])
        #expect(plan.buckets.count > 4)
      }
    }
    let inference = try ExecutionPlan(
      inference: forward([8, 8, 3], net, mode: .evaluation), capacity: 3, options: options)
    #expect(inference.faults() == [])
  }

  @Test("a relu behind batch norm is fused, one whose input has other readers is not")
  func fusion() throws {
    let fused = try ExecutionPlan(
      training: forward(
        [8, 8, 1],
        layers(conv(4), .batchNorm(BatchNormSpec()), .activation(.relu), .globalAveragePool)),
      capacity: 2)
    let names = fused.graph.operations.map(\.kind.name)
    #expect(names.contains("batch_norm_relu") && names.contains("batch_norm_relu_gradient"))
    #expect(!names.contains("relu") && !names.contains("relu_gradient"))

    let forked = try ExecutionPlan(
      training: forward(
        [8, 8, 1],
        layers(
          conv(4), .batchNorm(BatchNormSpec()),
          .parallel(branches: [layers(.activation(.relu)), []], join: .add), .globalAveragePool)),
      capacity: 2)
    #expect(forked.graph.operations.map(\.kind.name).contains("relu"))
  }

  @Test("the arena is reused: a deep chain needs little more than what backward must keep")
  func reuse() throws {
    let deep = try ExecutionPlan(
      inference: forward(
        [64], Array(repeating: LayerSpec(.dense(DenseSpec(units: 64))), count: 20)), capacity: 16)
    #expect(deep.arena.count <= 3 * 64 * 16 + 64)
  }

  @Test("gradients lie in the order in which backward makes them ready, in whole buckets")
  func bucketOrder() throws {
    let plan = try ExecutionPlan(
      training: forward([16], Array(repeating: LayerSpec(.dense(DenseSpec(units: 16))), count: 5)),
      capacity: 4, options: PlanOptions(bucketElements: 300))
    let names = plan.leaf.order.map { plan.graph.parameters[$0].name }
    #expect(names.first == "layers.4.bias" && names.last == "layers.0.weight")
    for range in plan.leaf.parameters.indices.map(plan.leaf.gradient(of:)) {
      #expect(plan.buckets.filter { $0.overlaps(range) }.count == 1)
    }
  }

  @Test("statistics of the whole batch are summed over the ranks where they are complete")
  func wholeBatchNorm() throws {
    var spec = ModelSpec(
      input: [4],
      layers: layers(
        .dense(DenseSpec(units: 5)), .batchNorm(BatchNormSpec()), .activation(.relu),
        .dense(DenseSpec(units: 3))))
    spec.batchNormStatistics = .batch
    let graph = try GraphBuilder.forward(spec, loss: loss, mode: .training)
    let plan = ExecutionPlan(
      training: graph, capacity: 2, options: PlanOptions(bucketElements: 40))
    #expect(plan.faults().isEmpty)
    #expect(plan.batchSumCounts == [5, 5, 10])
    let names = plan.instructionNames
    let first = try #require(names.firstIndex(of: "batch_moments [layers.1]"))
    #expect(
      Array(names[first..<first + 6]) == [
        "batch_moments [layers.1]", "sum over ranks [layers.1]", "batch_squares [layers.1]",
        "sum over ranks [layers.1]", "whole_batch_norm_relu [layers.1]",
        "batch_statistics [layers.1]",
      ])
    let shares = try #require(names.firstIndex(of: "whole_batch_norm_relu_shares [layers.1]"))
    #expect(
      Array(names[shares..<shares + 4]) == [
        "whole_batch_norm_relu_shares [layers.1]", "end-leaf, start-sum bucket 1",
        "sum over ranks [layers.1]", "whole_batch_norm_relu_gradient [layers.1]",
      ])
  }

  @Test("a norm whose input needs no gradient sums its statistics only")
  func wholeBatchNormFirst() throws {
    var spec = ModelSpec(
      input: [4], layers: layers(.batchNorm(BatchNormSpec()), .dense(DenseSpec(units: 3))))
    spec.batchNormStatistics = .batch
    let graph = try GraphBuilder.forward(spec, loss: loss, mode: .training)
    let plan = ExecutionPlan(training: graph, capacity: 2)
    #expect(plan.batchSumCounts == [4, 4])
  }
}
