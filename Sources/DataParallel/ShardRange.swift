// V micro-shards, R ranks (R <= V), n samples in a batch.

/// Who computes what: which micro-shards a rank owns, which samples a micro-shard holds.
///
/// Both are contiguous and differ by at most one in size. The samples of a micro-shard do not depend
/// on the number of ranks; that is what makes a run's bits independent of it.
package enum ShardRange {
  /// The micro-shards of `rank`: `rank·V/R ..< (rank + 1)·V/R`.
  ///
  /// - Precondition: `1 <= ranks <= shards`; the configuration has already proved it.
  package static func shards(ofRank rank: Int, of ranks: Int, shards: Int) -> Range<Int> {
    precondition((1...max(shards, 1)).contains(ranks), "\(ranks) ranks for \(shards) shards")
    return part(rank, of: ranks, count: shards)
  }

  /// The samples of `shard` in a batch of `samples`: `shard·n/V ..< (shard + 1)·n/V`.
  ///
  /// The last batch of an epoch may hold fewer samples than there are shards; some are empty then.
  package static func samples(ofShard shard: Int, of shards: Int, samples: Int) -> Range<Int> {
    part(shard, of: shards, count: samples)
  }

  private static func part(_ index: Int, of parts: Int, count: Int) -> Range<Int> {
    precondition((0..<parts).contains(index) && count >= 0, "part \(index) of \(parts) of \(count)")
    return index * count / parts..<(index + 1) * count / parts
  }
}
