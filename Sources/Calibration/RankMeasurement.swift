import Datasets
import Engine
import Kernels
import Plan
import Scaling
import Storage
import Training

/// The work of one rank, done on the thread that made it and timed part by part.
///
/// A cycle is a small step: two micro-shards, their fold, the check, the update. So every part finds the
/// caches as it would in a run. Weights stay as they are, since the learning rate is 0.
final class RankMeasurement {
  private let spec: RunSpec
  private let plan: ExecutionPlan
  private let replica: Replica
  private let engine: ShardEngine<Float>
  private let leaves: [AlignedMemory<Float>]
  private let source: SampleSource?
  private var loads = Samples()
  private var operations: [Samples]
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
    leaves = (0..<2).map { [plan] _ in AlignedMemory(count: plan.leaf.count) }
    source = data.map { SampleSource($0, seed: spec.seed) }
    operations = plan.graph.operations.map { _ in Samples() }
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
      operationSeconds: operations.map(\.typical), mergeSeconds: merges.typical,
      checkSeconds: checks.typical, updateSeconds: updates.typical, sumSecondsPerByte: 0)
  }

  private func takeCycle(_ cycle: Int) {
    for (index, leaf) in leaves.enumerated() { passShard(2 * cycle + index, leaf: leaf.block) }
    let sum = leaves[0].block
    merges.time { accumulate(leaves[1].block, into: sum) }
    let gradient = sum[plan.leaf.parameterStart..<plan.leaf.count]
    checks.time { norm += sumOfSquares(gradient) }
    updates.time {
      let all = 0..<replica.model.parameters.count
      replica.optimizer.update(
        all, weights: replica.model.parameters, gradient: gradient, step: cycle + 1,
        learningRate: 0)
      replica.average?.update(all, weights: replica.model.parameters, step: cycle + 1)
    }
  }

  private func passShard(_ index: Int, leaf: Block<Float>) {
    engine.beginShard(
      rows: plan.capacity, batchSize: spec.training.batch, step: 0, firstSample: 0, leaf: leaf)
    if let source { loads.time { source.load(index, into: engine) } }
    var start = ContinuousClock.now
    for operation in operations.indices {
      engine.run(operation)
      let end = ContinuousClock.now
      operations[operation].add(end - start)
      start = end
    }
  }

  private func forget() {
    loads = Samples()
    operations = operations.map { _ in Samples() }
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

  mutating func add(_ duration: Duration) { seconds.append(duration / .seconds(1)) }

  mutating func time(_ work: () -> Void) {
    let start = ContinuousClock.now
    work()
    add(ContinuousClock.now - start)
  }

  /// The mean without the slowest twentieth: steps of a run meet the machine's other users too, in this measure.
  var typical: Double {
    let usual = seconds.sorted().prefix(max(seconds.count * 19 / 20, 1))
    return usual.isEmpty ? 0 : usual.reduce(0, +) / Double(usual.count)
  }
}
