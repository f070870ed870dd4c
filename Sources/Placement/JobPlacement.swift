import Collectives

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Where the ranks of the job run, as this rank and the run's header need to know it.
package struct JobPlacement: Equatable, Sendable {
  /// For the header: one line, or one per group of hosts that are alike.
  package let lines: [String]
  /// What was decided for this rank's host; nil: the system does not tell which CPUs there are.
  package let host: HostPlacement?

  /// Looks at the machine, binds the calling thread where that is this program's task, and tells the
  /// group whether its ranks share cores. All ranks take part.
  ///
  /// Comes before memory is filled: pages lie on the NUMA node of the core that touches them first.
  package init(
    _ spec: PlacementSpec, over group: any Collectives, files: SystemFiles = .live
  ) throws(CollectivesError) {
    let own = RankAffinity.read(files, parent: getppid(), looksAround: group.localRank == 0)
    let found = try group.allGather(Array((own?.text ?? "").utf8)).map {
      RankAffinity(String(decoding: $0, as: UTF8.self))
    }
    let near = Self.neighbours(of: group.rank, found, hostNumbers: group.hostNumbers)
    let affinities = near.compactMap { found[$0] }
    var host: HostPlacement?
    if affinities.count == near.count {
      host = HostPlacement(
        affinities, topology: HostTopology(reading: files, allowed: affinities[0].allowed),
        pin: spec.pin, isWholeJob: near.count == group.ranks)
    }
    try Self.bind(&host, near, over: group)
    group.adjustWaiting(sharesCores: host.map { $0.crowd != nil } ?? true)
    self.host = host
    let hosts = Set(near.map { group.hostNumbers[$0] }).count
    let text = host?.description ?? "not known: /proc/self/status cannot be read"
    lines = try Self.lines(hosts > 1 ? "\(hosts) hosts on one machine, \(text)" : text, over: group)
  }

  /// Lets the calling thread, started by the rank's main thread, run on cores that have nothing to do.
  package func freeThisThread() {
    if let cpus = host?.otherThreads { ThreadAffinity.set(cpus) }
  }

  /// The ranks that a rank shares CPUs with, in their order: those of its host, and those of other hosts
  /// that are in truth the same machine under another name, as containers may be.
  package static func neighbours(
    of rank: Int, _ found: [RankAffinity?], hostNumbers: [Int]
  ) -> [Int] {
    func cpus(ofHost host: Int) -> CPUSet {
      CPUSet(
        found.indices.filter { hostNumbers[$0] == host }.flatMap { found[$0]?.allowed.cpus ?? [] })
    }
    let own = hostNumbers[rank]
    guard let machine = found[rank]?.machine, !machine.isEmpty else {
      return found.indices.filter { hostNumbers[$0] == own }
    }
    let ownCPUs = cpus(ofHost: own)
    return found.indices.filter { other in
      if hostNumbers[other] == own { return true }
      return found[other]?.machine == machine
        && !cpus(ofHost: hostNumbers[other]).intersection(ownCPUs).isEmpty
    }
  }

  /// Binds every rank of a host, or none.
  private static func bind(
    _ host: inout HostPlacement?, _ near: [Int], over group: any Collectives
  ) throws(CollectivesError) {
    let place = near.firstIndex(of: group.rank) ?? 0
    let cpus = host?.mainThread(ofLocalRank: place)
    let isRefused = cpus.map { !ThreadAffinity.set($0) } ?? false
    let answers = try group.allGather([isRefused ? 1 : 0])
    if near.contains(where: { answers[$0] == [1] }) {
      if let others = host?.otherThreads { ThreadAffinity.set(others) }
      host?.refuse()
    }
  }

  /// What each host says, hosts that say the same together: `node1, node2: 4 ranks share 2 cores ...`.
  private static func lines(
    _ own: String, over group: any Collectives
  ) throws(CollectivesError) -> [String] {
    let texts = try group.allGather(Array(own.utf8)).map { String(decoding: $0, as: UTF8.self) }
    var groups: [(text: String, hosts: [String])] = []
    for host in 0..<group.hostCount {
      let rank = group.ranks(onHost: host).lowerBound
      if let index = groups.firstIndex(where: { $0.text == texts[rank] }) {
        groups[index].hosts.append(group.hosts[rank])
      } else {
        groups.append((texts[rank], [group.hosts[rank]]))
      }
    }
    return Self.lines(groups)
  }

  /// - Returns: At most five lines.
  package static func lines(_ groups: [(text: String, hosts: [String])]) -> [String] {
    if groups.count == 1 {
      return [groups[0].hosts.count == 1 ? groups[0].text : "on each host " + groups[0].text]
    }
    let shown = groups.count > 5 ? groups.prefix(4) : groups[...]
    let rest = groups.dropFirst(shown.count).flatMap(\.hosts)
    let lines = shown.map { "\(hostsText($0.hosts)): \($0.text)" }
    return rest.isEmpty ? lines : lines + ["\(rest.count) more hosts, each in another way"]
  }

  private static func hostsText(_ hosts: [String]) -> String {
    hosts.count > 4 ? "\(hosts.count) hosts (\(hosts[0]) ...)" : hosts.joined(separator: ", ")
  }
}
