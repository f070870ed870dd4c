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
    let affinities = try Self.exchange(own, over: group)
    var host = affinities.map {
      HostPlacement(
        $0, topology: HostTopology(reading: files, allowed: $0[0].allowed), pin: spec.pin,
        isWholeJob: group.localRanks == group.ranks)
    }
    try Self.bind(&host, over: group)
    group.adjustWaiting(sharesCores: host.map { $0.crowd != nil } ?? true)
    self.host = host
    lines = try Self.lines(host, over: group)
  }

  /// Lets the calling thread, started by the rank's main thread, run on cores that have nothing to do.
  package func freeThisThread() {
    if let cpus = host?.otherThreads { ThreadAffinity.set(cpus) }
  }

  /// What the ranks of this host found, in rank order; nil: some of them found nothing.
  private static func exchange(
    _ own: RankAffinity?, over group: any Collectives
  ) throws(CollectivesError) -> [RankAffinity]? {
    let texts = try group.allGather(Array((own?.text ?? "").utf8))
    let local = texts.indices.filter { group.hosts[$0] == group.hostName }
    let found = local.compactMap { RankAffinity(String(decoding: texts[$0], as: UTF8.self)) }
    return found.count == local.count ? found : nil
  }

  /// Binds every rank of a host, or none.
  private static func bind(
    _ host: inout HostPlacement?, over group: any Collectives
  ) throws(CollectivesError) {
    let cpus = host?.mainThread(ofLocalRank: group.localRank)
    let isRefused = cpus.map { !ThreadAffinity.set($0) } ?? false
    let answers = try group.allGather([isRefused ? 1 : 0])
    if zip(group.hosts, answers).contains(where: { $0 == group.hostName && $1 == [1] }) {
      if let others = host?.otherThreads { ThreadAffinity.set(others) }
      host?.refuse()
    }
  }

  /// What each host says, hosts that say the same together: `node1, node2: 4 ranks share 2 cores ...`.
  private static func lines(
    _ host: HostPlacement?, over group: any Collectives
  ) throws(CollectivesError) -> [String] {
    let own = host?.description ?? "not known: /proc/self/status cannot be read"
    let texts = try group.allGather(Array(own.utf8)).map { String(decoding: $0, as: UTF8.self) }
    var groups: [(text: String, hosts: [String])] = []
    for host in group.ranksPerHost.map(\.host) {
      guard let rank = group.hosts.firstIndex(of: host) else { continue }
      if let index = groups.firstIndex(where: { $0.text == texts[rank] }) {
        groups[index].hosts.append(host)
      } else {
        groups.append((texts[rank], [host]))
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
