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
  private let bucketBytes: [Int]
  private let stages: [SumStage]
  private let actions: [Int: [StepAction]]
  private let shardCounts: [Int]

  /// - Precondition: Every host has equally many ranks.
  package init(
    _ plan: ExecutionPlan, shards: Int, times: MachineTimes, cluster: Cluster, network: NetworkModel
  ) {
    precondition(cluster.isEven, "\(cluster.text)")
    self.cluster = cluster
    bucketBytes = plan.buckets.map { $0.count * MemoryLayout<Float>.stride }
    stages = SumStage.all(on: cluster)
    var actions: [Int: [StepAction]] = [:]
    shardCounts = (0..<cluster.ranks).map { rank in
      let share = StepShare(rank: rank, of: cluster.ranks, shards: shards)
      if actions[share.shards] == nil {
        actions[share.shards] =
          StepSimulation.run(plan, share: share, times: times, on: cluster, network: network)
          .actions
      }
      return share.shards
    }
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
    for action in actions[shardCounts[rank]] ?? [] {
      switch action {
      case .spend(let seconds): pendingSeconds += seconds
      case .start(let bucket, let stage):
        flush()
        lines += startLines(rank, bucket: bucket, stage: stage)
      case .wait(let bucket, let stage):
        flush()
        lines += waitLines(rank, bucket: bucket, stage: stage)
      }
    }
    flush()
    return (lines + ["\(rank) finalize"]).joined(separator: "\n") + "\n"
  }

  private func startLines(_ rank: Int, bucket: Int, stage: Int) -> [String] {
    guard case .exchange(let exchange) = stages[stage] else { return [] }
    let bytes = Double(bucketBytes[bucket]) * exchange.fraction / Double(cluster.localRanks)
    let tail = "\(tag(bucket, stage)) \(max(1, Int(bytes.rounded())))"
    let (target, source) = partners(of: rank, exchange)
    return (source.map { ["\(rank) irecv \($0) \(tail)"] } ?? [])
      + (target.map { ["\(rank) isend \($0) \(tail)"] } ?? [])
  }

  private func waitLines(_ rank: Int, bucket: Int, stage: Int) -> [String] {
    guard case .exchange(let exchange) = stages[stage] else { return [] }
    let (target, source) = partners(of: rank, exchange)
    return (source.map { ["\(rank) wait \($0) \(rank) \(tag(bucket, stage))"] } ?? [])
      + (target.map { ["\(rank) wait \(rank) \($0) \(tag(bucket, stage))"] } ?? [])
  }

  private func tag(_ bucket: Int, _ stage: Int) -> Int { bucket * stages.count + stage }

  /// The ranks with the same place on the other hosts.
  private func partners(
    of rank: Int, _ exchange: SliceExchange.Stage
  ) -> (target: Int?, source: Int?) {
    let (host, place) = (rank / cluster.localRanks, rank % cluster.localRanks)
    let hosts = exchange.partners(of: host, hosts: cluster.hosts)
    func neighbour(on host: Int?) -> Int? { host.map { $0 * cluster.localRanks + place } }
    return (neighbour(on: hosts.target), neighbour(on: hosts.source))
  }

  /// At 1e9 operations a second.
  private func operations(_ seconds: Double) -> Int { Int((seconds * 1e9).rounded()) }
}
