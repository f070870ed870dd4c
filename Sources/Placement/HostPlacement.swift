#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Where the ranks of one host run: decided from what each of them found, the same on all of them.
package struct HostPlacement: Equatable, Sendable {
  package enum Binding: Equatable, Sendable {
    /// Each rank to its core, by ddp-train.
    case pinned([Core])
    /// Each rank to its CPUs, by the launcher.
    case launcher([CPUSet])
    /// Ranks run where the system puts them.
    case free(Reason)
  }

  package enum Reason: Equatable, Sendable {
    /// The whole job is one rank.
    case oneRank
    case turnedOff
    case tooFewCores
    /// Other programs are bound to so many of the cores that too few are left.
    case taken
    /// The system forbids it.
    case refused
  }

  /// More ranks than cores.
  package struct Crowd: Equatable, Sendable {
    package var ranks: Int
    package var cores: Double
    /// Whether `cores` is the quota of a control group.
    package var isQuota: Bool

    package init(ranks: Int, cores: Double, isQuota: Bool = false) {
      self.ranks = ranks
      self.cores = cores
      self.isQuota = isQuota
    }
  }

  package private(set) var binding: Binding
  /// The most crowded ranks; nil: each rank has a core.
  package private(set) var crowd: Crowd?
  /// The cores that the ranks may use.
  package let cores: [Core]
  /// What each rank found, in rank order.
  package let ranks: [RankAffinity]

  /// - Parameters:
  ///   - ranks: What each rank of the host found, in rank order.
  ///   - isWholeJob: Whether there are no ranks on other hosts.
  package init(
    _ ranks: [RankAffinity], topology: HostTopology, pin: Pinning, isWholeJob: Bool
  ) {
    precondition(!ranks.isEmpty, "a host without ranks")
    self.ranks = ranks
    let masks = ranks.map(\.allowed)
    let allowed = masks.dropFirst().reduce(masks[0]) { $0.union($1) }
    cores = topology.cores(within: allowed)
    crowd = Self.crowd(masks, topology: topology, quota: ranks.compactMap(\.quota).min())
    if Self.areBound(ranks, cores: cores.count) {
      binding = .launcher(masks)
    } else if ranks.count == 1, isWholeJob {
      binding = .free(.oneRank)
    } else if pin == .off {
      binding = .free(.turnedOff)
    } else if crowd != nil {
      binding = .free(.tooFewCores)
    } else {
      // The first rank has looked around for all.
      let open = cores.filter { $0.cpus.intersection(ranks[0].taken).isEmpty }
      binding =
        open.count < ranks.count
        ? .free(.taken) : .pinned(CoreChoice.cores(ranks.count, of: open))
    }
  }

  /// What becomes of the plan where the system does not let a process choose its CPUs.
  package mutating func refuse() {
    if case .pinned = binding { binding = .free(.refused) }
  }

  /// The CPUs that a rank's main thread is to be bound to; nil: it stays as it is.
  package func mainThread(ofLocalRank rank: Int) -> CPUSet? {
    if case .pinned(let cores) = binding { cores[rank].cpus } else { nil }
  }

  /// The CPUs that a rank's other threads may use, wherever its main thread is; nil: they stay as they are.
  ///
  /// What the launcher itself may use, it may give to a thread that yields to everybody.
  package var otherThreads: CPUSet? {
    let all = ranks.dropFirst().reduce(ranks[0].allowed) { $0.union($1.allowed) }
    switch binding {
    case .pinned: return all
    case .launcher:
      guard let launcher = ranks[0].launcher, all.isSubset(of: launcher) else { return all }
      return launcher
    case .free: return nil
    }
  }

  /// Ranks with different CPUs were bound. Ranks with the same CPUs were merely confined to them, unless
  /// these are less than the launcher's own and leave no choice.
  private static func areBound(_ ranks: [RankAffinity], cores: Int) -> Bool {
    if ranks.contains(where: { $0.allowed != ranks[0].allowed }) { return true }
    return ranks[0].isNarrowed && (ranks.count == 1 || cores < ranks.count)
  }

  /// Ranks whose CPUs all lie in one set need as many cores there as they are.
  private static func crowd(
    _ masks: [CPUSet], topology: HostTopology, quota: Double?
  ) -> Crowd? {
    var worst: Crowd?
    func note(_ crowd: Crowd) {
      guard Double(crowd.ranks) > crowd.cores else { return }
      if let worst, Double(worst.ranks) / worst.cores >= Double(crowd.ranks) / crowd.cores {
        return
      }
      worst = crowd
    }
    for mask in Set(masks).sorted(by: { $0.cpus.lexicographicallyPrecedes($1.cpus) }) {
      let inside = masks.count { $0.isSubset(of: mask) }
      note(Crowd(ranks: inside, cores: Double(max(topology.cores(within: mask).count, 1))))
    }
    if let quota { note(Crowd(ranks: masks.count, cores: quota, isQuota: true)) }
    return worst
  }
}

extension HostPlacement {
  /// Whether `count` ranks are more than cores or quota, as far as this one rank can tell before it has met
  /// the others: it takes its launcher's CPUs for those of all.
  package static func isTooSmall(forRanks count: Int, files: SystemFiles = .live) -> Bool {
    guard let own = RankAffinity.read(files, parent: getppid()) else { return true }
    let all = own.isNarrowed ? own.launcher ?? own.allowed : own.allowed
    let alike = [RankAffinity](
      repeating: RankAffinity(allowed: all, quota: own.quota), count: count)
    let topology = HostTopology(reading: files, allowed: all)
    return HostPlacement(alike, topology: topology, pin: .off, isWholeJob: true).crowd != nil
  }
}
