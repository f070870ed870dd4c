import DataParallel
import Plan

/// A step of every rank as SimGrid's time-independent traces, for `smpirun -replay`.
///
/// What happens inside a host (kernels, adding up, flags in shared memory) is `compute`, in operations of
/// a core that does 1e9 a second; messages between hosts are `irecv`, `isend` and `wait`. When a rank takes
/// the next stage of a sum is decided by the model, where it polls is the plan's: a message that is later than
/// the model believes holds the rank up at that place. All ranks of a host do what the busiest does.
///
/// Source: Casanova, Desprez, Markomanolis and Suter, "Simulation of MPI applications with
/// time-independent traces", Concurrency and Computation 27, 2015.
package struct SimGridTraces: Sendable {
  private let localRanks: Int
  /// By bucket, then by host.
  private let routes: [[SumRoute]]
  /// By host.
  private let traces: [StepTrace]
  /// More than there are messages of a bucket from one host to another.
  private let tagsPerBucket: Int

  /// - Precondition: Every host has equally many ranks.
  package init(
    _ plan: ExecutionPlan, _ layout: HostLayout, times: MachineTimes, network: NetworkModel
  ) {
    precondition(layout.hosts.allSatisfy { $0.count == layout.sliceCount }, "\(layout.hosts)")
    localRanks = layout.sliceCount
    let routes = plan.buckets.map { SumRoute.ofSlice(0, bucket: $0, layout) }
    self.routes = routes
    traces = StepSimulation.run(plan, layout, times: times, network: network)
    tagsPerBucket = 1 + (routes.joined().flatMap(\.sent).map(\.number).max() ?? 0)
  }

  /// The trace of one rank.
  package func text(ofRank rank: Int) -> String {
    let host = rank / localRanks
    var lines = ["\(rank) init"]
    var pendingSeconds = 0.0
    func flush() {
      if pendingSeconds > 0 { lines.append("\(rank) compute \(operations(pendingSeconds))") }
      pendingSeconds = 0
    }
    for action in traces[host].actions {
      switch action {
      case .spend(let seconds): pendingSeconds += seconds
      case .take(let bucket, let stage):
        flush()
        lines += self.lines(rank, routes[bucket][host].stages, stage, bucket: bucket)
      }
    }
    flush()
    return (lines + ["\(rank) finalize"]).joined(separator: "\n") + "\n"
  }

  private func lines(
    _ rank: Int, _ stages: [SumRoute.Stage], _ stage: Int, bucket: Int
  ) -> [String] {
    func neighbour(_ host: Int) -> Int { host * localRanks + rank % localRanks }
    func tag(_ message: SumRoute.Message) -> Int { bucket * tagsPerBucket + message.number }
    func wait(_ message: SumRoute.Message) -> String {
      "\(rank) wait \(neighbour(message.from)) \(neighbour(message.to)) \(tag(message))"
    }
    switch stages[stage] {
    case .post(let expected):
      return expected.map { "\(rank) irecv \(neighbour($0.from)) \(tag($0)) \($0.byteCount)" }
    case .send(let message):
      return ["\(rank) isend \(neighbour(message.to)) \(tag(message)) \(message.byteCount)"]
    case .receive(let message): return [wait(message)]
    case .settle: return SumRoute.unsettled(stages[..<stage]).map(wait)
    case .add, .publish: return []
    }
  }

  /// At 1e9 operations a second.
  private func operations(_ seconds: Double) -> Int { Int((seconds * 1e9).rounded()) }
}
