import Plan

/// Walks through a planned step with measured times and a model of the network, as a rank with the given
/// share would; all ranks are taken to be alike.
///
/// The rank computes its micro-shards one after another. In the last of them every finished bucket is
/// started, and sums move on only when the plan polls or waits, as in `GradientSummation`. Buckets pass
/// through stages: the owner of a slice adds it up over the ranks of its host, exchanges it with the owners on
/// the other hosts (`SliceExchange`) and says that it is done. The ranks of a host share one link.
package struct StepSimulation {
  private let plan: ExecutionPlan
  private let times: RankTimes
  private let network: NetworkModel
  private let stages: [SumStage]
  private let flagSeconds: Double
  private let localRanks: Int

  /// Seconds since the step began.
  private var now = 0.0
  private var linkIsFreeAt = 0.0
  private var computeSeconds = 0.0
  private var progress: [BucketProgress]
  private var startedBuckets = 0
  private var actions: [StepAction] = []

  private init(
    _ plan: ExecutionPlan, times: MachineTimes, cluster: Cluster, network: NetworkModel
  ) {
    self.plan = plan
    self.times = times.times(localRanks: cluster.localRanks)
    self.network = network
    flagSeconds = times.flagSeconds
    localRanks = cluster.localRanks
    stages = SumStage.all(on: cluster)
    progress = plan.buckets.map { _ in BucketProgress() }
  }

  /// What a step costs.
  ///
  /// - Parameters:
  ///   - share: Of the rank with the most to do, which the others wait for.
  ///   - overlaps: Whether sums run beside backward; without, they start when it is over.
  package static func run(
    _ plan: ExecutionPlan, share: StepShare, times: MachineTimes, on cluster: Cluster,
    network: NetworkModel, overlaps: Bool = true
  ) -> (prediction: StepPrediction, actions: [StepAction]) {
    var simulation = StepSimulation(plan, times: times, cluster: cluster, network: network)
    simulation.runShards(share, overlaps: overlaps)
    simulation.finish()
    let prediction = StepPrediction(
      computeSeconds: simulation.computeSeconds, totalSeconds: simulation.now)
    return (prediction, simulation.actions)
  }

  // MARK: The plan's instructions

  private mutating func runShards(_ share: StepShare, overlaps: Bool) {
    for (index, merges) in share.merges.enumerated() {
      let isLast = index == share.shards - 1
      compute(times.loadSeconds)
      for instruction in plan.shard {
        switch instruction {
        case .run(let operation): compute(times.operationSeconds[operation])
        case .sumOverRanks(let operation): sumOverRanks(operation)
        case .endLeaf(let bucket):
          compute(Double(merges) * times.mergeSeconds * shareOfLeaf(plan.buckets[bucket]))
          if isLast, overlaps { start(bucket) }
        case .poll: if isLast { advanceAll() }
        default: break
        }
      }
    }
    if !overlaps { for bucket in plan.buckets.indices { start(bucket) } }
  }

  private mutating func finish() {
    for instruction in plan.finish {
      switch instruction {
      case .waitSum(let bucket): wait(bucket)
      case .check: compute(times.checkSeconds)
      case .update(let bucket):
        compute(times.updateSeconds * shareOfLeaf(plan.buckets[bucket]))
      default: break
      }
    }
  }

  private func shareOfLeaf(_ bucket: Range<Int>) -> Double {
    Double(bucket.count) / Double(max(plan.leaf.count, 1))
  }

  private mutating func compute(_ seconds: Double) {
    computeSeconds += seconds
    spend(seconds)
  }

  private mutating func spend(_ seconds: Double) {
    now += seconds
    if seconds > 0 { actions.append(.spend(seconds: seconds)) }
  }

  // MARK: Sums

  /// A small sum that all ranks wait for at once; in a trace it is time, not messages.
  private mutating func sumOverRanks(_ operation: Int) {
    let share = plan.graph[plan.graph.operations[operation].outputs[0]]
    let byteCount = Double(share.elementCount * MemoryLayout<Float>.stride)
    let sliceBytes = byteCount / Double(localRanks)
    for stage in stages {
      switch stage {
      case .addLocal:
        spend(flagSeconds + sliceBytes * Double(localRanks + 1) * times.sumSecondsPerByte)
      case .exchange(let exchange):
        spend(network.latencySeconds + byteCount * exchange.fraction / network.bytesPerSecond)
      case .publish: spend(flagSeconds)
      }
    }
  }

  private mutating func start(_ bucket: Int) {
    startedBuckets += 1
    // The other ranks of the host must have said that they are as far.
    progress[bucket].isReadyAt = now + (localRanks > 1 ? flagSeconds : 0)
    advanceAll()
  }

  private mutating func wait(_ bucket: Int) {
    advanceAll()
    while progress[bucket].stage < stages.count {
      let next = (0..<startedBuckets).filter { progress[$0].stage < stages.count }
        .map { progress[$0].isReadyAt }.min()
      if let next, next > now { pass(until: next) }
      advanceAll()
    }
  }

  /// Waits. A wait for a message costs nothing in a trace, where the message itself takes its time.
  private mutating func pass(until time: Double) {
    let isMessage = progress[..<startedBuckets].contains { $0.isReadyAt == time && $0.isUnderWay }
    if isMessage { now = time } else { spend(time - now) }
  }

  private mutating func advanceAll() {
    for bucket in 0..<startedBuckets { advance(bucket) }
  }

  /// Takes as many stages of a bucket as are possible without waiting.
  private mutating func advance(_ bucket: Int) {
    let sliceBytes =
      Double(plan.buckets[bucket].count * MemoryLayout<Float>.stride) / Double(localRanks)
    while progress[bucket].stage < stages.count, progress[bucket].isReadyAt <= now {
      let stage = progress[bucket].stage
      switch stages[stage] {
      case .addLocal:
        spend(sliceBytes * Double(localRanks + 1) * times.sumSecondsPerByte)
      case .exchange(let exchange):
        guard progress[bucket].isUnderWay else {
          actions.append(.start(bucket: bucket, stage: stage))
          send(bucket, byteCount: sliceBytes * exchange.fraction)
          continue
        }
        actions.append(.wait(bucket: bucket, stage: stage))
        progress[bucket].isUnderWay = false
        if exchange.adds { spend(sliceBytes * exchange.fraction * 3 * times.sumSecondsPerByte) }
      case .publish: break
      }
      progress[bucket].stage += 1
      if stage + 1 < stages.count, stages[stage + 1] == .publish {
        progress[bucket].isReadyAt = now + flagSeconds
      }
    }
  }

  /// The message of every rank of the host at once, through their one link.
  private mutating func send(_ bucket: Int, byteCount: Double) {
    let start = max(now, linkIsFreeAt)
    linkIsFreeAt = start + byteCount * Double(localRanks) / network.bytesPerSecond
    progress[bucket].isReadyAt = linkIsFreeAt + network.latencySeconds
    progress[bucket].isUnderWay = true
  }
}

/// What a bucket passes through on its way to the sum.
package enum SumStage: Equatable, Sendable {
  case addLocal
  case exchange(SliceExchange.Stage)
  /// The other owners' slices are not there before their word of it.
  case publish

  package static func all(on cluster: Cluster) -> [SumStage] {
    let exchange = SliceExchange(hosts: cluster.hosts).stages.map { SumStage.exchange($0) }
    return cluster.localRanks > 1 ? [.addLocal] + exchange + [.publish] : exchange
  }
}

/// What the rank of a simulated step does, for traces.
package enum StepAction: Equatable, Sendable {
  /// Computing, adding, or waiting for ranks of the same host.
  case spend(seconds: Double)
  /// Starts the messages of a bucket's stage, an index into `SumStage.all`.
  case start(bucket: Int, stage: Int)
  case wait(bucket: Int, stage: Int)
}

private struct BucketProgress {
  var stage = 0
  var isReadyAt = 0.0
  /// Whether the message of the stage was started.
  var isUnderWay = false
}

/// A step's time in two parts.
package struct StepPrediction: Equatable, Sendable {
  /// Loading, forward and backward, folding the own leaves, the check and the update.
  package var computeSeconds: Double
  package var totalSeconds: Double

  /// What sums add to the step: adding up and waiting.
  package var exposedSeconds: Double { totalSeconds - computeSeconds }
}
