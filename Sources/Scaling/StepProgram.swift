import DataParallel
import Plan

/// What one rank does in a step, in order, with what its own work costs.
package struct StepProgram: Equatable, Sendable {
  package enum Action: Equatable, Sendable {
    /// Loading, computing, folding, checking, updating.
    case compute(seconds: Double)
    /// The rank's share of a bucket is complete.
    case start(bucket: Int)
    /// Moves started sums forward.
    case poll
    /// Returns when a bucket's sum is there.
    case wait(bucket: Int)
  }

  package private(set) var actions: [Action] = []

  package init(_ actions: [Action]) { self.actions = actions }

  /// Sums every bucket and nothing else.
  package init(sumsOf buckets: [Range<Int>]) {
    actions = buckets.indices.map { .start(bucket: $0) } + buckets.indices.map { .wait(bucket: $0) }
  }

  /// A step of the rank that has these micro-shards.
  ///
  /// - Parameters:
  ///   - smallSumSeconds: Of a sum over the ranks in the middle of a micro-shard.
  ///   - overlaps: Whether sums start beside backward; without, they start when it is over.
  package init(
    _ plan: ExecutionPlan, shards: Range<Int>, of total: Int, times: RankTimes,
    smallSumSeconds: Double = 0, overlaps: Bool = true
  ) {
    let merges = LocalSum(shards: shards, of: total).merges
    for (index, count) in merges.enumerated() {
      let first = index / plan.shardsPerPass * plan.shardsPerPass
      append(
        plan, times, together: min(plan.shardsPerPass, merges.count - first), merges: count,
        smallSumSeconds: smallSumSeconds, isOpen: overlaps && index == merges.count - 1)
    }
    if !overlaps { actions += plan.buckets.indices.map { .start(bucket: $0) } }
    for instruction in plan.finish {
      switch instruction {
      case .waitSum(let bucket): actions.append(.wait(bucket: bucket))
      case .check: compute(times.checkSeconds)
      case .update(let bucket): compute(times.updateSeconds * plan.share(ofBucket: bucket))
      default: break
      }
    }
  }

  /// - Parameters:
  ///   - together: Micro-shards of its pass. Passes of several fold within their operations.
  ///   - merges: How often a leaf is added to another one at the end.
  ///   - isOpen: Whether this is the micro-shard in which sums start.
  private mutating func append(
    _ plan: ExecutionPlan, _ times: RankTimes, together: Int, merges: Int,
    smallSumSeconds: Double, isOpen: Bool
  ) {
    let merges = together > 1 ? 0 : merges
    compute(times.loadSeconds)
    for instruction in plan.shard {
      switch instruction {
      case .run(let operation):
        compute(
          times.seconds(ofOperation: operation, amongShards: together, full: plan.shardsPerPass))
      case .sumOverRanks: compute(smallSumSeconds)
      case .endLeaf(let bucket):
        compute(Double(merges) * times.mergeSeconds * plan.share(ofBucket: bucket))
        if isOpen { actions.append(.start(bucket: bucket)) }
      case .poll: if isOpen { actions.append(.poll) }
      default: break
      }
    }
  }

  private mutating func compute(_ seconds: Double) {
    if seconds == 0 { return }
    if case .compute(let before) = actions.last {
      actions[actions.count - 1] = .compute(seconds: before + seconds)
    } else {
      actions.append(.compute(seconds: seconds))
    }
  }

  package var computeSeconds: Double {
    actions.reduce(0) { if case .compute(let seconds) = $1 { $0 + seconds } else { $0 } }
  }
}

extension HostLayout {
  /// The micro-shards of the rank of a host that has most of them, which the host's others wait for.
  func mostShards(onHost host: Int) -> Range<Int> {
    hosts[host].map { shards(ofRank: $0) }.max { $0.count < $1.count } ?? 0..<0
  }
}

extension ExecutionPlan {
  fileprivate func share(ofBucket bucket: Int) -> Double {
    Double(buckets[bucket].count) / Double(max(leaf.count, 1))
  }
}
