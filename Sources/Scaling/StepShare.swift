import DataParallel

/// The part of a step that one rank computes: its micro-shards and how they are folded.
package struct StepShare: Equatable, Sendable {
  /// After each of the rank's micro-shards, how many leaves are added to others.
  package let merges: [Int]

  package init(shards: Range<Int>, of total: Int) {
    merges = LocalSum(shards: shards, of: total).merges
  }

  /// The share of one rank of a step with `shards` micro-shards.
  package init(rank: Int, of ranks: Int, shards: Int) {
    self.init(shards: ShardRange.shards(ofRank: rank, of: ranks, shards: shards), of: shards)
  }

  /// The share of the rank that has the most to do.
  package static func largest(ranks: Int, shards: Int) -> StepShare {
    let counts = (0..<ranks).map {
      ShardRange.shards(ofRank: $0, of: ranks, shards: shards).count
    }
    let most = counts.max() ?? 0
    return StepShare(rank: counts.firstIndex(of: most) ?? 0, of: ranks, shards: shards)
  }

  package var shards: Int { merges.count }
}
