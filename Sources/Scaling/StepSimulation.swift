import Plan

/// Walks through a planned step with measured times and a model of the network, as a rank with the given
/// share would; all ranks are taken to be alike.
///
/// The rank computes its micro-shards one after another. In the last of them every finished bucket is
/// started, and sums move on only when the plan polls or waits, as in `GradientSummation`. Buckets take the
/// stages of their `SumRoute`. The ranks of a host share one link; what comes in started when this rank was
/// first ready for it, since the other side is as far.
package struct StepSimulation {
  private let plan: ExecutionPlan
  private let times: RankTimes
  private let network: NetworkModel
  /// By bucket.
  private let routes: [SumRoute]
  private let flagSeconds: Double
  private let localRanks: Int

  /// Seconds since the step began.
  private var now = 0.0
  private var linkOutIsFreeAt = 0.0
  private var linkInIsFreeAt = 0.0
  private var computeSeconds = 0.0
  private var progress: [BucketProgress]
  private var startedBuckets = 0
  private var actions: [StepAction] = []

  private init(
    _ plan: ExecutionPlan, routes: [SumRoute], times: MachineTimes, localRanks: Int,
    network: NetworkModel
  ) {
    self.plan = plan
    self.routes = routes
    self.times = times.times(localRanks: localRanks)
    self.network = network
    self.localRanks = localRanks
    flagSeconds = localRanks > 1 ? times.flagSeconds : 0
    progress = plan.buckets.map { _ in BucketProgress() }
  }

  /// What a step costs.
  ///
  /// - Parameters:
  ///   - share: Of the rank with the most to do, which the others wait for.
  ///   - routes: Of the host with the most to do.
  ///   - overlaps: Whether sums run beside backward; without, they start when it is over.
  package static func run(
    _ plan: ExecutionPlan, share: StepShare, routes: [SumRoute], times: MachineTimes,
    localRanks: Int, network: NetworkModel, overlaps: Bool = true
  ) -> (prediction: StepPrediction, actions: [StepAction]) {
    var simulation = StepSimulation(
      plan, routes: routes, times: times, localRanks: localRanks, network: network)
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

  private mutating func start(_ bucket: Int) {
    startedBuckets += 1
    // The other ranks of the host must have said that they are as far.
    progress[bucket].isReadyAt = now + flagSeconds
    advanceAll()
  }

  private mutating func wait(_ bucket: Int) {
    advanceAll()
    while !isFinished(bucket) {
      guard
        let next = (0..<startedBuckets).filter({ !isFinished($0) })
          .min(by: { progress[$0].isReadyAt < progress[$1].isReadyAt })
      else { return }
      // A wait for a message costs nothing in a trace, where the message itself takes its time.
      let time = max(now, progress[next].isReadyAt)
      if progress[next].awaitsMessage { now = time } else { spend(time - now) }
      advanceAll()
    }
  }

  private func isFinished(_ bucket: Int) -> Bool {
    progress[bucket].stage == routes[bucket].stages.count
  }

  private mutating func advanceAll() {
    for bucket in 0..<startedBuckets { advance(bucket) }
  }

  /// Takes as many stages of a bucket as are possible without waiting.
  private mutating func advance(_ bucket: Int) {
    while !isFinished(bucket), progress[bucket].isReadyAt <= now {
      let stage = routes[bucket].stages[progress[bucket].stage]
      if !progress[bucket].awaitsStage, let time = readyTime(of: stage, bucket) {
        progress[bucket].isReadyAt = time
        progress[bucket].awaitsStage = true
        progress[bucket].awaitsMessage = stage != .publish
        continue
      }
      take(stage, bucket)
      progress[bucket].awaitsStage = false
      progress[bucket].awaitsMessage = false
      progress[bucket].stage += 1
    }
  }

  /// When a stage that is reached now can be taken; nil: at once.
  private mutating func readyTime(of stage: SumRoute.Stage, _ bucket: Int) -> Double? {
    switch stage {
    case .receive(_, let byteCount, _):
      actions.append(.post(bucket: bucket, stage: progress[bucket].stage))
      linkInIsFreeAt = max(now, linkInIsFreeAt) + linkSeconds(byteCount)
      return linkInIsFreeAt + network.latencySeconds
    case .settle: return progress[bucket].isSentAt
    case .publish: return now + flagSeconds
    case .add, .send: return nil
    }
  }

  private mutating func take(_ stage: SumRoute.Stage, _ bucket: Int) {
    switch stage {
    case .add(let byteCount): spend(Double(byteCount) * times.sumSecondsPerByte)
    case .send(_, let byteCount, _):
      linkOutIsFreeAt = max(now, linkOutIsFreeAt) + linkSeconds(byteCount)
      progress[bucket].isSentAt = linkOutIsFreeAt
      actions.append(.take(bucket: bucket, stage: progress[bucket].stage))
    case .receive, .settle:
      actions.append(.take(bucket: bucket, stage: progress[bucket].stage))
    case .publish: break
    }
  }

  /// How long the messages of all ranks of the host keep their link busy.
  private func linkSeconds(_ byteCount: Int) -> Double {
    Double(byteCount * localRanks) / network.bytesPerSecond
  }
}

/// What the rank of a simulated step does, for traces.
package enum StepAction: Equatable, Sendable {
  /// Computing, adding, or waiting for ranks of the same host.
  case spend(seconds: Double)
  /// Makes ready to receive the message of a stage of the bucket's route.
  case post(bucket: Int, stage: Int)
  /// Sends, or waits for, the messages of a stage.
  case take(bucket: Int, stage: Int)
}

private struct BucketProgress {
  /// The next stage of the route.
  var stage = 0
  var isReadyAt = 0.0
  /// Whether `isReadyAt` is about the next stage.
  var awaitsStage = false
  /// Whether what is awaited comes from another host.
  var awaitsMessage = false
  /// When the last message sent has left.
  var isSentAt = 0.0
}

/// A step's time in two parts.
package struct StepPrediction: Equatable, Sendable {
  /// Loading, forward and backward, folding the own leaves, the check and the update.
  package var computeSeconds: Double
  package var totalSeconds: Double

  /// What sums add to the step: adding up and waiting.
  package var exposedSeconds: Double { totalSeconds - computeSeconds }
}
