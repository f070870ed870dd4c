import Collectives
import DataParallel
import Diagnostics
import Metrics
import Storage

/// Compares the replicas of all ranks and does what `audit.on_mismatch` says.
struct Auditor {
  let spec: AuditSpec
  let collectives: any Collectives
  let journal: RunJournal?

  /// - Parameter last: The step of the audit before.
  func isDue(after step: Int, last: Int) -> Bool {
    spec.everySteps > 0 && step / spec.everySteps > last / spec.everySteps
  }

  /// All ranks compare their replicas; those in the minority are healed, or all stop.
  ///
  /// Healing makes the ranks agree again. It does not undo what the wrong bits did since they came up:
  /// the gradients of that rank went into sums that all ranks have applied alike. State that a host holds once is
  /// compared between hosts.
  func audit(_ replica: Replica, activity: RankActivity) throws {
    guard spec.everySteps > 0 else { return }
    let step = replica.counters.step
    let hashes = replica.tensorHashes()
    let found = try activity.during(.communication) {
      try ReplicaAudit.compare(hashes, over: collectives)
    }
    guard let found else { return }
    guard spec.onMismatch == .heal, let cures = found.cures else {
      let fault = found.diagnostic(step: step, hosts: collectives.hosts)
      throw AgreedFailure(message: "\(fault)", exitCode: ExitCode.failed)
    }
    let tensors = replica.auditedTensors
    for cure in cures { try heal(tensors[cure.index], from: cure.source) }
    // State that a host holds once was healed by one of its ranks.
    try collectives.barrier()
    try journal?.note(found, cures: cures, step: step, hosts: collectives.hosts)
  }
}

extension Auditor {
  /// Gives all ranks the bits of `source`. What a host holds once is written by its first rank, and not where the
  /// source reads it; the others take part with memory that is dropped.
  private func heal(_ tensor: Replica.AuditedTensor, from source: Int) throws {
    let hosts = collectives.hostNumbers
    let isWriter = collectives.localRank == 0 && hosts[source] != hosts[collectives.rank]
    if !tensor.isHostShared || isWriter || collectives.rank == source {
      return try collectives.broadcast(tensor.block, from: source)
    }
    let dropped = AlignedMemory<Float>(count: tensor.block.count)
    try dropped.withBlock { try collectives.broadcast($0, from: source) }
  }
}

extension RunJournal {
  /// After an audit that healed: says so, logs it, and warns of a host that needs it again and again.
  fileprivate func note(
    _ found: Disagreement, cures: [Disagreement.Cure], step: Int, hosts: [String]
  ) throws {
    let ranks = Set(cures.flatMap(\.ranks)).sorted()
    let sources = Set(cures.map(\.source)).sorted()
    let place = ranksText(ranks, hosts: hosts)
    display.printLines([
      "step \(step): \(place) held other bits in \(found.tensorText) and got those of "
        + "\(ranksText(sources, hosts: hosts)); all ranks agree again"
    ])
    try append(
      HealRecord(
        step: step, ranks: ranks, hosts: ranks.map { hosts[$0] }, tensor: found.tensors[0].name,
        tensorCount: found.tensors.count))
    for host in Set(ranks.map { hosts[$0] }).sorted() {
      let steps = log.heals.steps(of: host)
      guard steps.count > 1 else { continue }
      display.printLines(["warning: \(Self.unsoundHost(host, steps: steps))"])
    }
  }

  private static func unsoundHost(_ host: String, steps: [Int]) -> Diagnostic {
    Diagnostic(
      place: host,
      problem: "its ranks were healed \(steps.count) times in this run, at steps "
        + steps.map(String.init).joined(separator: ", "),
      expected: "memory in which no bit changes by itself",
      remedy: "test the memory of \(host), and run without it until it is found sound")
  }
}
