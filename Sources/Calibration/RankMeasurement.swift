import Collectives
import DataParallel
import Datasets
import Engine
import Kernels
import Plan
import Scaling
import Storage
import Training

/// The work of one rank, done on the thread that made it and timed part by part.
///
/// A cycle is a small step: two micro-shards and their fold, a pass of several, which folds by itself, the check, the
/// update. So every part finds the caches as it would in a run. Weights stay as they are, since the learning rate is 0.
final class RankMeasurement {
  private let spec: RunSpec
  private let plan: ExecutionPlan
  private let replica: Replica
  private let engine: ShardEngine<Float>
  private let summation: GradientSummation<Float>
  private let source: SampleSource?
  private var loads = Samples()
  private var operations: [Samples]
  private var passes: [Samples]
  private var merges = Samples()
  private var checks = Samples()
  private var updates = Samples()
  private var norm = 0.0

  /// - Parameter data: nil: the samples are noise and loading them takes no time.
  init(_ spec: RunSpec, plans: ModelPlans, data: LoadedData?) {
    self.spec = spec
    plan = plans.training
    replica = Replica(spec, plans: plans)
    engine = ShardEngine(
      plan, model: replica.model, usesClasses: spec.data.target == .classes, seed: spec.seed)
    do {
      summation = try GradientSummation(
        length: plan.leaf.count, buckets: plan.buckets, shards: max(2, plan.shardsPerPass),
        over: SoloCollectives())
    } catch {
      preconditionFailure("a rank alone waits for nobody: \(error)")
    }
    source = data.map { SampleSource($0, seed: spec.seed) }
    operations = plan.graph.operations.map { _ in Samples() }
    passes = operations
    if source == nil { engine.input.copy(from: noise(engine.input.count)) }
  }

  /// Works until `deadline`, three cycles at least; the first one only warms up.
  func run(until deadline: ContinuousClock.Instant) -> RankTimes {
    var cycle = 0
    while cycle < 3 || (ContinuousClock.now < deadline && cycle < 2000) {
      takeCycle(cycle)
      if cycle == 0 { forget() }
      cycle += 1
    }
    precondition(!norm.isNaN, "the gradient of the first weights is not a number")
    return RankTimes(
      loadSeconds: source == nil ? 0 : loads.typical,
      operationSeconds: operations.map(\.typical),
      passSeconds: plan.shardsPerPass > 1 ? passes.map(\.typical) : nil,
      mergeSeconds: merges.typical, checkSeconds: checks.typical, updateSeconds: updates.typical,
      sumSecondsPerByte: 0)
  }

  private func takeCycle(_ cycle: Int) {
    for shard in 0..<2 { takeShard(shard, index: 2 * cycle + shard) }
    if plan.shardsPerPass > 1 { takePass(cycle) }
    merges.time { summation.fold(0..<plan.leaf.count, localShard: 1) }
    let gradient = summation.sum[plan.leaf.parameterStart..<plan.leaf.count]
    checks.time { norm += sumOfSquares(gradient) }
    updates.time {
      let all = 0..<replica.model.parameters.count
      replica.optimizer.update(
        all, weights: replica.model.parameters, gradient: gradient, step: cycle + 1,
        learningRate: 0)
      replica.average?.update(all, weights: replica.model.parameters, step: cycle + 1)
    }
  }

  private func takeShard(_ shard: Int, index: Int) {
    begin(index, rows: plan.capacity, leaf: summation.leaf(forLocalShard: shard))
    for index in operations.indices { operations[index].time { engine.run(index) } }
  }

  private func takePass(_ index: Int) {
    let shards = plan.shardsPerPass
    let pass = ShardPass(
      0..<shards, firstShard: 0, shardCount: shards, sampleCount: plan.passCapacity)
    begin(index, rows: plan.passCapacity, leaf: summation.leaf(forLocalShard: 0))
    for index in passes.indices {
      passes[index].time(parts: shards) { engine.run(index, pass, into: summation) }
    }
  }

  private func begin(_ index: Int, rows: Int, leaf: Block<Float>) {
    engine.beginShard(
      rows: rows, batchSize: spec.training.batch, step: 0, firstSample: 0, leaf: leaf)
    guard let source else { return }
    loads.time(parts: rows / plan.capacity) { source.load(index, rows: rows, into: engine) }
  }

  private func forget() {
    loads = Samples()
    operations = operations.map { _ in Samples() }
    passes = operations
    (merges, checks, updates) = (Samples(), Samples(), Samples())
  }
}

/// Numbers between -1 and 1, as normalised inputs are.
private func noise(_ count: Int) -> [Float] {
  (0..<count).map { Float(($0 &* 2_654_435_761) & 0xFFFF) / 32768 - 1 }
}

/// Durations of the same piece of work.
struct Samples {
  private var seconds: [Double] = []

  /// - Parameter parts: Equal pieces of work in `work`, of which one is the sample.
  mutating func time(parts: Int = 1, _ work: () -> Void) {
    let start = ContinuousClock.now
    work()
    seconds.append((ContinuousClock.now - start) / .seconds(1) / Double(parts))
  }

  /// The mean without the slowest twentieth: steps of a run meet the machine's other users too, in this measure.
  var typical: Double {
    let usual = seconds.sorted().prefix(max(seconds.count * 19 / 20, 1))
    return usual.isEmpty ? 0 : usual.reduce(0, +) / Double(usual.count)
  }
}
