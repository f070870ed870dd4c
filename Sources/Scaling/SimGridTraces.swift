import Plan

/// A step of every rank as SimGrid's time-independent traces, for `smpirun -replay`.
///
/// What happens inside a host (kernels, adding up, flags in shared memory) is `compute`, in operations of
/// a core that does 1e9 a second; messages between hosts are `isend`, `irecv` and `wait`. When a rank takes
/// the next stage of a sum is decided by the model, where it polls is the plan's: a message that is later than
/// the model believes holds the rank up at that place.
///
/// Source: Casanova, Desprez, Markomanolis and Suter, "Simulation of MPI applications with
/// time-independent traces", Concurrency and Computation 27, 2015.
package struct SimGridTraces: Sendable {
  package let cluster: Cluster
  /// By host, then by bucket.
  private let routes: [[SumRoute]]
  private let actions: [Key: [StepAction]]
  private let keys: [Key]

  /// Ranks of one host with equally many micro-shards do the same.
  private struct Key: Hashable {
    var host: Int
    var shards: Int
  }

  /// - Precondition: Every host has equally many ranks.
  package init(
    _ plan: ExecutionPlan, shards: Int, times: MachineTimes, cluster: Cluster, network: NetworkModel
  ) {
    precondition(cluster.isEven, "\(cluster.text)")
    self.cluster = cluster
    let layout = cluster.layout(shards: shards)
    let routes = (0..<cluster.hosts).map {
      SumRoute.ofBuckets(plan.buckets, layout, host: $0)
    }
    var actions: [Key: [StepAction]] = [:]
    keys = (0..<cluster.ranks).map { rank in
      let share = StepShare(rank: rank, of: cluster.ranks, shards: shards)
      let key = Key(host: rank / cluster.localRanks, shards: share.shards)
      if actions[key] == nil {
        actions[key] =
          StepSimulation.run(
            plan, share: share, routes: routes[key.host], times: times,
            localRanks: cluster.localRanks, network: network
          ).actions
      }
      return key
    }
    self.routes = routes
    self.actions = actions
  }

  /// The trace of one rank.
  package func text(ofRank rank: Int) -> String {
    var lines = ["\(rank) init"]
    var pendingSeconds = 0.0
    func flush() {
      if pendingSeconds > 0 { lines.append("\(rank) compute \(operations(pendingSeconds))") }
      pendingSeconds = 0
    }
    let key = keys[rank]
    for action in actions[key] ?? [] {
      switch action {
      case .spend(let seconds): pendingSeconds += seconds
      case .post(let bucket, let stage):
        flush()
        lines += postLines(rank, routes[key.host][bucket].stages[stage], bucket: bucket)
      case .take(let bucket, let stage):
        flush()
        lines += messageLines(rank, routes[key.host][bucket], bucket: bucket, stage: stage)
      }
    }
    flush()
    return (lines + ["\(rank) finalize"]).joined(separator: "\n") + "\n"
  }

  private func postLines(_ rank: Int, _ stage: SumRoute.Stage, bucket: Int) -> [String] {
    guard case .receive(let host, let byteCount, let phase) = stage else { return [] }
    return ["\(rank) irecv \(neighbour(of: rank, on: host)) \(tag(bucket, phase)) \(byteCount)"]
  }

  private func messageLines(_ rank: Int, _ route: SumRoute, bucket: Int, stage: Int) -> [String] {
    switch route.stages[stage] {
    case .send(let host, let byteCount, let phase):
      return ["\(rank) isend \(neighbour(of: rank, on: host)) \(tag(bucket, phase)) \(byteCount)"]
    case .receive(let host, _, let phase):
      return ["\(rank) wait \(neighbour(of: rank, on: host)) \(rank) \(tag(bucket, phase))"]
    case .settle(let phase):
      return route.stages[..<stage].compactMap {
        guard case .send(let host, _, phase) = $0 else { return nil }
        return "\(rank) wait \(rank) \(neighbour(of: rank, on: host)) \(tag(bucket, phase))"
      }
    case .add, .publish: return []
    }
  }

  private func tag(_ bucket: Int, _ phase: SumRoute.Phase) -> Int { 2 * bucket + phase.rawValue }

  /// The owner of the same slice on another host.
  private func neighbour(of rank: Int, on host: Int) -> Int {
    host * cluster.localRanks + rank % cluster.localRanks
  }

  /// At 1e9 operations a second.
  private func operations(_ seconds: Double) -> Int { Int((seconds * 1e9).rounded()) }
}
