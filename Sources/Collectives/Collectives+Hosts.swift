/// One host and how many ranks live on it.
package struct HostRanks: Equatable, Sendable, CustomStringConvertible {
  package var host: String
  package var ranks: Int

  package var description: String { "\(host): \(ranks)" }
}

extension Collectives {
  package var hostName: String { hosts[rank] }

  /// The ranks of this rank's host.
  package var localRange: Range<Int> { ranks(onHost: hostNumbers[rank]) }

  /// How many ranks live on this rank's host.
  package var localRanks: Int { localRange.count }

  /// This rank's number among those on its host, `0 ..< localRanks`.
  package var localRank: Int { rank - localRange.lowerBound }

  package var hostCount: Int { (hostNumbers.last ?? 0) + 1 }

  /// The ranks of a host, which are neighbours.
  package func ranks(onHost host: Int) -> Range<Int> {
    guard let first = hostNumbers.firstIndex(of: host), let last = hostNumbers.lastIndex(of: host)
    else { preconditionFailure("host \(host) of \(hostCount)") }
    return first..<last + 1
  }

  /// The hosts in the order of their ranks.
  package var ranksPerHost: [HostRanks] {
    (0..<hostCount).map { host in
      let ranks = ranks(onHost: host)
      return HostRanks(host: hosts[ranks.lowerBound], ranks: ranks.count)
    }
  }
}
