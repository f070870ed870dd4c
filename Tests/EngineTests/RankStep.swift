import Collectives
import DataParallel
import Engine
import Graph
import Kernels
import Optimizers
import Plan
import Storage

/// Training steps of a network with batch norm, with as many micro-shards as ranks; a sample is a function of its
/// position in the batch.
struct RankStep<S: Scalar> {
  let plan: ExecutionPlan
  let model: ModelMemory<S>
  let steps: StepEngine<S>

  /// - Parameter batch: Samples of the largest step.
  init(
    _ layers: [LayerKind], input: [Int], statistics: BatchNormStatistics, batch: Int,
    fusion: Bool = true, over group: any Collectives
  ) throws {
    var spec = ModelSpec(input: input, layers: layers.map { LayerSpec($0) })
    spec.batchNormStatistics = statistics
    let loss = LossSpec.softmaxCrossEntropy(labelSmoothing: 0.1, classWeights: nil)
    plan = ExecutionPlan(
      training: try GraphBuilder.forward(spec, loss: loss, mode: .training),
      capacity: (batch + group.ranks - 1) / group.ranks,
      options: PlanOptions(fusion: fusion, bucketElements: 40))
    model = ModelMemory(plan)
    model.fillByWaves()
    let summation = try GradientSummation<S>(
      length: plan.leaf.count, buckets: plan.buckets, shards: group.ranks, over: group)
    let counts = plan.batchSumCounts
    let sums =
      counts.isEmpty ? nil : try BatchSums<S>(counts: counts, beside: summation, over: group)
    steps = StepEngine(
      engine: ShardEngine(plan, model: model, usesClasses: true, seed: 5), model: model,
      optimizer: Optimizer(
        spec: OptimizerSpec(rule: .sgd, learningRate: 0.1), segments: model.segments,
        parameterCount: model.parameters.count),
      summation: summation, batchSums: sums, shards: group.ranks, limits: GradientLimits())
  }

  /// Norms of images and of rows, at the very beginning, with a fused relu, with another activation. No weight
  /// before a norm that the norm takes out again: its gradient would be nothing but rounding.
  static var layers: [LayerKind] {
    var conv = Conv2DSpec(filters: 3, kernel: Extent(2))
    conv.bias = false
    var dense = DenseSpec(units: 5)
    dense.bias = false
    return [
      .batchNorm(BatchNormSpec()), .activation(.tanh), .conv2d(conv), .batchNorm(BatchNormSpec()),
      .activation(.relu),
      .flatten(.channelsLast), .dense(dense), .batchNorm(BatchNormSpec()),
      .activation(.tanh), .dense(DenseSpec(units: 3)),
    ]
  }

  static var images: [Int] { [3, 3, 2] }

  @discardableResult
  func take(_ step: Int, of count: Int, learningRate: Double = 0.1) throws -> StepResult {
    try steps.run(batch(step, of: count, learningRate), load: load)
  }

  func batch(_ step: Int, of count: Int, _ learningRate: Double = 0.1) -> StepBatch {
    StepBatch(count: count, step: step, learningRate: learningRate)
  }

  func load(_ positions: Range<Int>) {
    let width = plan.graph.inputShape.reduce(1, *)
    for (row, position) in positions.enumerated() {
      for element in 0..<width {
        // Samples far from each other in mean, so that statistics of a part are not those of the whole.
        steps.engine.input[row * width + element] = S(
          4 * wave(position * width + element, 0.9) + Double(position % 5))
      }
      steps.engine.classes[row] = Int32(position % plan.graph.outputShape.reduce(1, *))
    }
  }

  /// All numbers of the model.
  var numbers: [Double] { (model.parameters.array + model.statistics.array).map { Double($0) } }
}

extension ModelMemory {
  /// The parameters as the optimizer sees them.
  fileprivate var segments: [ParameterSegment] {
    leaf.order.map { index in
      ParameterSegment(
        name: parameterList[index].name, kind: parameterList[index].kind,
        offset: leaf.parameters[index].lowerBound, count: parameterList[index].elementCount)
    }
  }
}
