import DataParallel

/// Ranks spread over hosts: neighbours share a host, and hosts differ by at most one rank.
package struct Cluster: Equatable, Sendable {
  package let ranks: Int
  package let hosts: Int

  /// - Precondition: `1 <= hosts <= ranks`.
  package init(ranks: Int, hosts: Int) {
    precondition((1...max(ranks, 1)).contains(hosts), "\(ranks) ranks on \(hosts) hosts")
    self.ranks = ranks
    self.hosts = hosts
  }

  /// Ranks of the fullest host.
  package var localRanks: Int { (ranks + hosts - 1) / hosts }

  /// Whether every host has the same number of ranks.
  package var isEven: Bool { ranks % hosts == 0 }

  /// `64 on 8 hosts, 8 on each`.
  package var text: String {
    let host = hosts == 1 ? "1 host" : "\(hosts) hosts"
    return "\(ranks) on \(host), \(isEven ? "" : "up to ")\(localRanks) on each"
  }

  /// What the cluster looks like while it is filled: 1, 2, 4, ... ranks, and all of them at last.
  ///
  /// A host is filled before the next one is used.
  package var growth: [Cluster] {
    var counts: [Int] = []
    var count = 1
    while count < ranks {
      counts.append(count)
      count *= 2
    }
    return (counts + [ranks]).map {
      Cluster(ranks: $0, hosts: ($0 + localRanks - 1) / localRanks)
    }
  }

  /// Who works where, as in a run.
  ///
  /// - Precondition: `ranks <= shards`.
  package func layout(shards: Int) -> HostLayout {
    HostLayout(
      hosts: (0..<hosts).map { $0 * ranks / hosts..<($0 + 1) * ranks / hosts }, shards: shards)
  }
}
