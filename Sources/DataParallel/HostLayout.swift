import Collectives

// H hosts; R ranks; V shards; a bucket is cut into K slices.

/// Who works where: the ranks of each host, the shards they compute, the slices they sum.
///
/// Every bucket is cut into K slices, K being the most ranks any host has. On each host a slice has one
/// owner, who adds it up over the host's ranks and then deals with the owners of the same slice on the
/// other hosts, so that all ranks share the work and the network.
package struct HostLayout: Equatable, Sendable {
  /// The ranks of each host, one after another.
  package let hosts: [Range<Int>]
  /// V, the leaves of the summation tree.
  package let shards: Int
  /// K.
  package let sliceCount: Int

  /// - Parameter hosts: Neighbouring ranges that cover `0..<R`; `R <= V`.
  package init(hosts: [Range<Int>], shards: Int) {
    precondition(
      hosts.first?.lowerBound == 0
        && zip(hosts, hosts.dropFirst()).allSatisfy { pair in
          pair.0.upperBound == pair.1.lowerBound
        } && hosts.allSatisfy { !$0.isEmpty }, "\(hosts) are not neighbours from rank 0 on")
    self.hosts = hosts
    self.shards = shards
    sliceCount = hosts.map(\.count).max() ?? 1
  }

  /// - Parameter sharesMemory: Whether the ranks of a host share memory; else each is a host of its own.
  package init(of group: any Collectives, shards: Int, sharesMemory: Bool) {
    self.init(
      hosts: sharesMemory
        ? (0..<group.hostCount).map { group.ranks(onHost: $0) }
        : (0..<group.ranks).map { $0..<$0 + 1 },
      shards: shards)
  }

  package var rankCount: Int { hosts.last?.upperBound ?? 0 }

  package func host(ofRank rank: Int) -> Int {
    guard let host = hosts.firstIndex(where: { $0.contains(rank) }) else {
      preconditionFailure("rank \(rank) of \(rankCount)")
    }
    return host
  }

  package func shards(ofRank rank: Int) -> Range<Int> {
    ShardRange.shards(ofRank: rank, of: rankCount, shards: shards)
  }

  /// The shards of all ranks of a host, which are neighbours, too.
  package func shards(ofHost host: Int) -> Range<Int> {
    let ranks = hosts[host]
    return shards(ofRank: ranks.lowerBound)
      .lowerBound..<shards(ofRank: ranks.upperBound - 1).upperBound
  }

  /// The rank that sums a slice on a host.
  package func owner(ofSlice slice: Int, onHost host: Int) -> Int {
    hosts[host].lowerBound + slice * hosts[host].count / sliceCount
  }

  /// The slices that a rank sums.
  package func slices(ofRank rank: Int) -> [Int] {
    let host = host(ofRank: rank)
    return (0..<sliceCount).filter { owner(ofSlice: $0, onHost: host) == rank }
  }

  /// The elements of a slice of a bucket; slices start on cache lines.
  package func elements(ofSlice slice: Int, in bucket: Range<Int>) -> Range<Int> {
    let lines = (bucket.count + Self.lineElements - 1) / Self.lineElements
    func border(_ slice: Int) -> Int {
      min(bucket.lowerBound + slice * lines / sliceCount * Self.lineElements, bucket.upperBound)
    }
    return border(slice)..<border(slice + 1)
  }

  /// Elements of `Float` in a cache line.
  static let lineElements = 16
}
