import Collectives
import Kernels
import Storage

/// The sum over all ranks of what each rank has of its own, in the place of it.
///
/// The ranks are the leaves of the summation tree: for one number of ranks the same bits every time.
package final class SumOverRanks<S: Scalar> {
  private let summation: GradientSummation<S>

  /// All ranks make theirs together.
  ///
  /// - Parameters:
  ///   - length: L, elements of what is summed.
  ///   - bucketElements: How many of them travel at once.
  ///   - firstTag: As in `GradientSummation`.
  package init(
    length: Int, bucketElements: Int, over group: any Collectives, firstTag: Int = 0
  ) throws(CollectivesError) {
    let buckets = stride(from: 0, to: length, by: bucketElements).map {
      $0..<min($0 + bucketElements, length)
    }
    summation = try GradientSummation(
      length: length, buckets: buckets, shards: group.ranks, over: group, firstTag: firstTag)
  }

  /// The time this rank spent in `replace`.
  package var waiting: SumWaiting { summation.waiting }

  /// The first tag behind those of this sum's messages.
  package var nextTag: Int { summation.nextTag }

  /// Replaces `block`, `[L]`, by its sum over the ranks; all ranks call it. Allocates nothing.
  package func replace(_ block: Block<S>) throws(CollectivesError) {
    try summation.beginStep()
    for index in 0..<summation.buckets.count {
      let bucket = summation.buckets[index]
      summation.leaf(forLocalShard: 0)[bucket].copy(from: block[bucket])
      summation.endLeaf(bucket: index, localShard: 0)
      try summation.startSum(index)
    }
    for index in 0..<summation.buckets.count {
      try summation.waitSum(index)
      let bucket = summation.buckets[index]
      block[bucket].copy(from: summation.sum[bucket])
    }
    summation.endStep()
  }
}
