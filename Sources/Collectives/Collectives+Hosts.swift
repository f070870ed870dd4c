/// One host and how many ranks live on it.
package struct HostRanks: Equatable, Sendable, CustomStringConvertible {
  package var host: String
  package var ranks: Int

  package var description: String { "\(host): \(ranks)" }
}

extension Collectives {
  package var hostName: String { hosts[rank] }

  /// How many ranks live on this rank's host.
  package var localRanks: Int { hosts.count { $0 == hostName } }

  /// This rank's number among those on its host, `0 ..< localRanks`.
  package var localRank: Int { hosts[..<rank].count { $0 == hostName } }

  /// The hosts in the order of their first rank.
  package var ranksPerHost: [HostRanks] {
    var result: [HostRanks] = []
    for host in hosts {
      if let index = result.firstIndex(where: { $0.host == host }) {
        result[index].ranks += 1
      } else {
        result.append(HostRanks(host: host, ranks: 1))
      }
    }
    return result
  }
}
