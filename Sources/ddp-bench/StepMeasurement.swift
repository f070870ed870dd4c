import Benchmarks
import Collectives
import DataParallel
import Placement
import Storage
import Training

/// The training loop of a config, in rounds of steps; all ranks make it and call it together.
struct StepMeasurement {
  private let spec: RunSpec
  private let material: RunMaterial
  private let summation: GradientSummation<Float>
  private let replica: Replica
  private let group: any Collectives

  init(_ spec: RunSpec, over group: any Collectives) throws {
    var spec = spec
    // Steps and nothing else: an end that is never reached, nothing between epochs.
    spec.training.epochs = 1 << 20
    spec.training.earlyStopping = nil
    spec.evaluation.everyEpochs = 1 << 30
    spec.audit.everySteps = 0
    self.spec = spec
    self.group = group
    _ = try JobPlacement(spec.placement, over: group)
    material = try RunMaterial(
      spec, over: group, inputPlace: "model.input", checkOutputs: { _ in }, loadCheckpoint: { nil })
    summation = try GradientSummation(spec, material.plans, over: group)
    replica = try Replica(spec, plans: material.plans, summing: summation, over: group)
  }

  func row(
    _ name: String, rounds: Int, seconds: Double, limits: MachineLimits
  ) throws -> StepRow {
    let count = try stepCount(seconds: seconds)
    let rates = try (0..<rounds).map { _ in
      let first = replica.counters.step
      let time = try takeSteps(count)
      return Double(samples(first..<replica.counters.step)) / time
    }
    let memory = try group.allMaximum(ProcessMemory.read()?.peakByteCount ?? 0)
    return StepRow(
      config: name, ranks: group.ranks, batch: spec.training.batch, rates: rates,
      operationsPerSample: Double(material.plans.flopsPerSample), peakByteCount: memory,
      limits: limits)
  }

  /// How many steps take so long, from ever longer trials that also warm up.
  private func stepCount(seconds: Double) throws -> Int {
    var count = 2
    while true {
      let time = try takeSteps(count)
      let wanted = Int((Double(count) * seconds / max(time, 1e-6)).rounded(.up))
      if time > seconds / 4 { return max(1, wanted) }
      count = min(wanted, 10 * count)
    }
  }

  /// Seconds of the slowest rank.
  private func takeSteps(_ count: Int) throws -> Double {
    var spec = spec
    spec.training.maxSteps = replica.counters.step + count
    let run = try TrainingRun(
      spec, plans: material.plans, data: material.data, replica: replica, collectives: group,
      journal: nil, keeper: nil, summation: summation)
    try group.barrier()
    let start = ContinuousClock.now
    try run.train()
    let nanoseconds = Int((ContinuousClock.now - start) / .nanoseconds(1))
    return Double(try group.allMaximum(nanoseconds)) * 1e-9
  }

  /// The last batch of an epoch may be smaller.
  private func samples(_ steps: Range<Int>) -> Int {
    let length = RunLength(spec, samples: material.data.train.count)
    return steps.reduce(0) { $0 + length.positions(ofStep: $1).count }
  }
}
