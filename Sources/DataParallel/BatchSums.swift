import Collectives
import Kernels
import Storage

/// Small sums over all ranks in the middle of a micro-shard, for batch norm with the statistics of the whole batch.
///
/// ```text
/// beginStep
/// sum(share) ...   as often as `counts` says, in its order
/// endStep
/// ```
/// Every rank has one micro-shard, so all walk the same plan and come to the same sum at the same place. The sums are
/// formed in the tree over the ranks: all ranks get the same bits, and so does every repetition. Nothing is allocated
/// after `init`.
package final class BatchSums<S: Scalar> {
  private let summation: GradientSummation<S>
  private let gradients: GradientSummation<S>
  private var nextSum = 0

  /// All ranks make theirs together.
  ///
  /// - Parameters:
  ///   - counts: The elements of each sum of a step.
  ///   - gradients: Are moved forward while a rank waits here.
  package init(
    counts: [Int], beside gradients: GradientSummation<S>, over group: any Collectives
  ) throws(CollectivesError) {
    self.gradients = gradients
    var buckets: [Range<Int>] = []
    for count in counts {
      let line = HostLayout.lineElements
      let start = buckets.last?.upperBound ?? 0
      buckets.append(start..<start + (count + line - 1) / line * line)
    }
    summation = try GradientSummation(
      length: buckets.last?.upperBound ?? 0, buckets: buckets, shards: group.ranks, over: group,
      firstTag: gradients.nextTag)
  }

  /// The time this rank waited for the sums.
  package var waiting: SumWaiting { summation.waiting }

  package func beginStep() throws(CollectivesError) {
    try summation.beginStep()
    nextSum = 0
  }

  /// Replaces this rank's share by the sum of all ranks' shares; all ranks wait for each other.
  package func sum(_ share: Block<S>) throws(CollectivesError) {
    let bucket = nextSum
    nextSum += 1
    let start = summation.buckets[bucket].lowerBound
    let elements = start..<start + share.count
    summation.leaf(forLocalShard: 0)[elements].copy(from: share)
    summation.endLeaf(bucket: bucket, localShard: 0)
    try summation.startSum(bucket)
    try summation.waitSum(bucket, moving: gradients)
    share.copy(from: summation.sum[elements])
  }

  package func endStep() { summation.endStep() }
}
