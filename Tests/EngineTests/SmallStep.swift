import Collectives
import DataParallel
import Engine
import Graph
import Kernels
import Metrics
import Optimizers
import Plan
import Storage

/// Training steps of a small network on one rank; a sample is a function of its position in the batch.
struct SmallStep {
  let plan: ExecutionPlan
  let model: ModelMemory<Float>
  let steps: StepEngine<Float>

  /// - Parameters:
  ///   - batch: Samples of the largest step.
  ///   - shorter: Steps of sequences, ascending, that other plans are made for.
  ///   - names: Of layers, by their number.
  ///   - frozen: Layers that are not trained, by their number.
  ///   - shardsPerPass: As many micro-shards go through the network together if they can.
  init(
    input: [Int] = SmallStep.images, _ layers: [LayerKind] = SmallStep.layers,
    shorter: [Int] = [], batch: Int, shards: Int, names: [Int: String] = [:],
    frozen: Set<Int> = [], shardsPerPass: Int = 1, rule: UpdateRule = .sgd,
    limits: GradientLimits = GradientLimits(), fusion: Bool = true,
    recompute: Recomputation = .nothing,
    activity: RankActivity = RankActivity()
  ) throws {
    let spec = ModelSpec(
      input: input,
      layers: layers.enumerated().map { index, kind in
        var layer = LayerSpec(kind, name: names[index])
        layer.isTrained = !frozen.contains(index)
        return layer
      })
    let loss = LossSpec.softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil)
    let forward = try GraphBuilder.forward(spec, loss: loss, mode: .training)
    let capacity = (batch + shards - 1) / shards
    var options = PlanOptions(fusion: fusion, bucketElements: 100, recompute: recompute)
    if shardsPerPass > 1 {
      let alone = ExecutionPlan(training: forward, capacity: capacity, options: options)
      options.shards = shards
      options.passElements = shardsPerPass * alone.arena.count
    }
    plan = ExecutionPlan(training: forward, capacity: capacity, options: options)
    let model = ModelMemory<Float>(plan)
    self.model = model
    model.fillByWaves()
    let engines = try shorter.map { steps in
      ShardEngine(
        ExecutionPlan(
          training: try GraphBuilder.forward(spec.cut(to: steps), loss: loss, mode: .training),
          capacity: capacity, options: options), model: model, usesClasses: true, seed: 5)
    }
    let segments = model.leaf.order.map { index in
      ParameterSegment(
        name: model.parameterList[index].name, kind: model.parameterList[index].kind,
        offset: model.leaf.parameters[index].lowerBound,
        count: model.parameterList[index].elementCount)
    }
    steps = try StepEngine(
      engine: ShardEngine(plan, model: model, usesClasses: true, seed: 5), shorter: engines,
      model: model,
      optimizer: Optimizer(
        spec: OptimizerSpec(rule: rule, learningRate: 0.1), segments: segments,
        parameterCount: model.parameters.count),
      summation: GradientSummation(
        length: plan.leaf.count, buckets: plan.buckets, shards: shards, over: SoloCollectives()),
      shards: shards, limits: limits, activity: activity)
  }

  /// Everything a step may contain: convolution, norm, fused and free activations, dropout, dense.
  static let layers: [LayerKind] = {
    var conv = Conv2DSpec(filters: 5, kernel: Extent(3))
    conv.padding = .same
    conv.bias = false
    return [
      .conv2d(conv), .batchNorm(BatchNormSpec()), .activation(.relu),
      .maxPool(PoolSpec(size: Extent(2))), .flatten(.channelsFirst), .dropout(rate: 0.3),
      .dense(DenseSpec(units: 12)), .activation(.tanh), .dense(DenseSpec(units: 4)),
    ]
  }()

  static let images = [8, 8, 1]

  /// Takes step `step` over `count` samples.
  @discardableResult
  func take(
    _ step: Int, of count: Int, requests: StepRequests = []
  ) throws -> StepResult {
    try steps.run(batch(step, of: count), requests: { requests }, load: load)
  }

  func batch(_ step: Int, of count: Int, lengthBucket: Int = 0) -> StepBatch {
    StepBatch(count: count, step: step, learningRate: 0.1, lengthBucket: lengthBucket)
  }

  func load(_ positions: Range<Int>) {
    let width = steps.engine.plan.graph.inputShape.reduce(1, *)
    for (row, position) in positions.enumerated() {
      for element in 0..<width {
        steps.engine.input[row * width + element] = Float(3 * wave(position * width + element, 0.9))
      }
      steps.engine.classes[row] = Int32(position % plan.graph.outputShape.reduce(1, *))
    }
  }

  /// All numbers of the model.
  var bits: [UInt32] {
    (model.parameters.array + model.statistics.array).map(\.bitPattern)
  }
}
