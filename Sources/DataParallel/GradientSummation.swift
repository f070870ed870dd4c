import Collectives
import Kernels
import Storage

// L elements in a gradient; V shards; R ranks; a bucket is a contiguous slice of the L elements.

/// Sums the shards' gradients over all ranks in the fixed tree, bucket by bucket, while backward runs.
///
/// ```text
/// beginStep
/// for each local shard k: backward writes leaf(forLocalShard: k), bucket by bucket;
///                         endLeaf(bucket, localShard: k) after each; poll now and then
/// on the last local shard, after endLeaf: startSum(bucket)
/// waitSum(bucket)         -> sum[buckets[bucket]] holds the sum over all V shards
/// endStep                 when the sum was read for the last time
/// ```
/// Inside a host the gradients lie in shared memory: each rank adds up the slices it owns over all ranks
/// of the host (`HostSum`), and all read the result where it lies. Between hosts the owners of the same slice
/// exchange pieces of it (`SliceSchedule`).
///
/// Shards may also be walked inside buckets: what counts is that every bucket sees the local shards in
/// order. Nothing is allocated after `init`. All ranks use the same lengths and buckets.
package final class GradientSummation<S: Scalar> {
  package let buckets: [Range<Int>]
  /// This rank's shards, in the numbers of the whole batch.
  package var localShards: Range<Int> { local.shards }
  /// The time this rank spent in `beginStep`, `poll` and `waitSum`.
  package private(set) var waiting = SumWaiting()
  /// The first tag that its messages leave to others.
  package let nextTag: Int

  private let group: any Collectives
  private let layout: HostLayout
  private let local: LocalSum
  private let slots: SumSlots<S>
  private let board: SumBoard
  private let reduction: HostReduction<S>
  private let sumPlace: HostSum.Place
  /// By bucket: the elements of this rank's slices.
  private let slices: [[Range<Int>]]
  /// By bucket, for each of the slices; none with a single host.
  private let exchanges: [[SliceExchange<S>]]
  /// nil: nothing is rounded between hosts.
  package let residuals: WireResiduals<S>?
  /// By bucket: how many shards have ended their leaf in this step.
  private var endedLeaves: [Int]
  private var steps = 0
  private var isStepOpen = false
  /// Buckets of this step, in order: started, added up on this host, summed over all hosts.
  private var startedBuckets = 0
  private var reducedBuckets = 0
  private var summedBuckets = 0

  /// All ranks make theirs together.
  ///
  /// - Parameters:
  ///   - length: L, elements of the whole buffer: gradients, statistics, losses.
  ///   - buckets: Slices that cover `0..<length` in order.
  ///   - shards: V.
  ///   - firstTag: The messages between hosts have tags from here on.
  ///   - rounding: What is rounded between hosts; nil: nothing.
  package init(
    length: Int, buckets: [Range<Int>], shards: Int, over group: any Collectives, firstTag: Int = 0,
    rounding: WireRounding? = nil
  ) throws(CollectivesError) {
    precondition(Self.cover(buckets, length), "\(buckets) do not cover \(length) elements in order")
    local = LocalSum(
      shards: ShardRange.shards(ofRank: group.rank, of: group.ranks, shards: shards), of: shards)
    let slots = try SumSlots<S>(count: local.slotCount, length: length, over: group)
    let layout = HostLayout(of: group, shards: shards, sharesMemory: slots.sharesMemory)
    let host = layout.host(ofRank: group.rank)
    let hostSum = HostSum(layout, host: host)
    let own = layout.slices(ofRank: group.rank)
    self.buckets = buckets
    self.group = group
    self.layout = layout
    self.slots = slots
    board = try SumBoard(sharesMemory: slots.sharesMemory, over: group)
    reduction = HostReduction(hostSum, slots: slots)
    sumPlace = hostSum.places[0]
    slices = buckets.map { bucket in own.map { layout.elements(ofSlice: $0, in: bucket) } }
    endedLeaves = buckets.map { _ in 0 }
    let subtrees = hostSum.places.map { slots[$0] }
    let tags = SliceTags(first: firstTag, buckets: buckets.count, slices: layout.sliceCount)
    // One more for the residuals.
    nextTag = tags.end + 1
    var wire: (rounding: WireRounding, residuals: WireResiduals<S>)?
    if let rounding, layout.hosts.count > 1 {
      let residuals = try WireResiduals<S>(
        layout, length: length, exactCount: rounding.exactCount, sharesMemory: slots.sharesMemory,
        tag: tags.end, over: group)
      wire = (rounding, residuals)
    }
    residuals = wire?.residuals
    exchanges = buckets.enumerated().map { number, bucket in
      guard layout.hosts.count > 1 else { return [] }
      return own.flatMap { slice in
        sliceExchanges(
          slice, layout.elements(ofSlice: slice, in: bucket), layout, host: host,
          subtrees: subtrees, tags: (tags.exact(number, slice), tags.rounded(number, slice)),
          wire, over: group)
      }
    }
  }

  /// How many buffers of L elements this rank holds.
  package var slotCount: Int { slots.count }

  /// Whether the ranks of a host see the same `sum`; else each has its own.
  package var sharesMemory: Bool { slots.sharesMemory }

  // MARK: The step

  /// Returns when the place of the step before's sum may be written again.
  package func beginStep() throws(CollectivesError) {
    endStep()
    precondition(
      summedBuckets == startedBuckets,
      "bucket \(summedBuckets) of the step before was not waited for")
    // All others read the sum where the host's first rank writes its next leaf.
    if sumPlace == ownPlace, !board.haveAllReleased(steps) {
      let start = ContinuousClock.now
      try wait { board.haveAllReleased(steps) }
      waiting.late += ContinuousClock.now - start
    }
    isStepOpen = true
    (startedBuckets, reducedBuckets, summedBuckets) = (0, 0, 0)
    for bucket in endedLeaves.indices { endedLeaves[bucket] = 0 }
  }

  /// Says that this rank will not read `sum` any more; others may wait for it at the next step.
  package func endStep() {
    guard isStepOpen else { return }
    isStepOpen = false
    steps += 1
    board.publishReleased(steps)
  }

  /// Where backward writes the gradient of local shard `shard`, `[L]`; the old content means nothing.
  package func leaf(forLocalShard shard: Int) -> Block<S> { slots[local.leafSlots[shard]] }

  /// The gradient of a shard without samples, which a small last batch leaves: exact zeros.
  package func zeroLeaf(bucket: Int, localShard shard: Int) {
    leaf(forLocalShard: shard)[buckets[bucket]].fill(0)
  }

  /// Says that the leaf of `shard` is complete in `bucket`, and adds up what this completes.
  ///
  /// - Parameter isFolded: Whether that was done already, by `fold` or in the slots themselves.
  package func endLeaf(bucket: Int, localShard shard: Int, isFolded: Bool = false) {
    precondition(
      endedLeaves[bucket] == shard,
      "bucket \(bucket) ended shard \(shard) instead of \(endedLeaves[bucket])")
    endedLeaves[bucket] += 1
    if !isFolded { fold(buckets[bucket], localShard: shard) }
  }

  /// Adds up what is complete in `range` with the leaf of `shard`.
  package func fold(_ range: Range<Int>, localShard shard: Int) {
    let top = local.leafSlots[shard]
    for merge in 0..<local.merges[shard] {
      accumulate(slots[top - merge][range], into: slots[top - merge - 1][range])
    }
  }

  /// How the leaves of `shards` are added up in the slots.
  package func mergeOrder(of shards: Range<Int>) -> MergeOrder {
    MergeOrder(slots: local.leafSlots, merges: local.merges, parts: shards)
  }

  /// Calls `body` with the elements `range` of slot 0, and how many elements lie from one slot to the next.
  package func withSlots(_ range: Range<Int>, _ body: (Block<S>, Int) -> Void) {
    body(slots[0][range], slots.stride)
  }

  /// Starts to sum `bucket` over the ranks; its slices belong to the sum until `waitSum` returns.
  ///
  /// - Precondition: Buckets are started in order, each after its last local shard.
  package func startSum(_ bucket: Int) throws(CollectivesError) {
    precondition(bucket == startedBuckets, "bucket \(bucket) started instead of \(startedBuckets)")
    precondition(endedLeaves[bucket] == localShards.count, "bucket \(bucket) lacks shards")
    startedBuckets += 1
    board.publishReady(total(startedBuckets))
    try poll()
  }

  /// Moves the outstanding buckets forward, without waiting.
  package func poll() throws(CollectivesError) {
    guard summedBuckets < startedBuckets else { return }
    let start = ContinuousClock.now
    try advance()
    waiting.communication += ContinuousClock.now - start
  }

  /// Returns when `sum` holds the sum over all shards in `bucket`, and no message reads it any more.
  ///
  /// - Parameter other: Is moved forward meanwhile.
  package func waitSum(
    _ bucket: Int, moving other: GradientSummation<S>? = nil
  ) throws(CollectivesError) {
    precondition(bucket < startedBuckets, "bucket \(bucket) was not started")
    if isFinished(bucket) { return }
    let start = ContinuousClock.now
    let needed = total(bucket + 1)
    try wait(moving: other) { board.areAllReady(needed) }
    let ready = ContinuousClock.now
    try wait(moving: other) { isFinished(bucket) }
    waiting.late += ready - start
    waiting.communication += ContinuousClock.now - ready
  }

  /// Whether `waitSum` would return at once.
  package func isFinished(_ bucket: Int) -> Bool {
    bucket < summedBuckets && board.haveAllSummed(total(bucket + 1))
  }

  /// The sum over all shards, `[L]`, the same memory for all ranks of a host; valid in the buckets that were
  /// waited for, until `endStep`. It is no more than memory then, so ranks that agree on who writes where may hand each
  /// other something in it.
  package var sum: Block<S> { slots[sumPlace] }

  // MARK: Moving forward

  private var ownPlace: HostSum.Place {
    HostSum.Place(rank: slots.sharesMemory ? group.localRank : 0, slot: 0)
  }

  /// Buckets of all steps up to this step's bucket `count`.
  private func total(_ count: Int) -> Int { steps * buckets.count + count }

  private func wait(
    moving other: GradientSummation<S>? = nil, until isDone: () -> Bool
  ) throws(CollectivesError) {
    var attempt = 0
    while !isDone() {
      try advance()
      try other?.advance()
      if isDone() { return }
      group.pause(attempt: attempt)
      attempt += 1
    }
  }

  private func advance() throws(CollectivesError) {
    while reducedBuckets < startedBuckets, board.areAllReady(total(reducedBuckets + 1)) {
      for slice in slices[reducedBuckets] { reduction.run(slice) }
      for exchange in exchanges[reducedBuckets] { try exchange.start() }
      reducedBuckets += 1
    }
    var isInOrder = true
    for bucket in summedBuckets..<reducedBuckets {
      let isDone = try advanceExchanges(bucket)
      isInOrder = isInOrder && isDone
      if isInOrder {
        summedBuckets += 1
        board.publishSummed(total(summedBuckets))
      }
    }
  }

  private func advanceExchanges(_ bucket: Int) throws(CollectivesError) -> Bool {
    var isDone = true
    for exchange in exchanges[bucket] {
      guard try exchange.advanceSum() else {
        isDone = false
        continue
      }
      if try !exchange.advancePublish() { isDone = false }
    }
    return isDone
  }

  private static func cover(_ buckets: [Range<Int>], _ length: Int) -> Bool {
    var end = 0
    for bucket in buckets {
      guard bucket.lowerBound == end else { return false }
      end = bucket.upperBound
    }
    return end == length
  }
}
