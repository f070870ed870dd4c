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
/// ```
/// Shards may also be walked inside buckets: what counts is that every bucket sees the local shards in
/// order. Nothing is allocated after `init`. All ranks use the same lengths and buckets.
package final class GradientSummation<S: Scalar> {
  package let buckets: [Range<Int>]
  /// This rank's shards, in the numbers of the whole batch.
  package var localShards: Range<Int> { local.shards }
  /// The time this rank spent in `poll` and `waitSum`; who was late is not known here.
  package private(set) var waiting = SumWaiting()

  private let group: any Collectives
  private let local: LocalSum
  /// By root; bucket b has root b modulo R, so that the ranks share the work.
  private let schedules: [SumSchedule]
  private let memory: AlignedMemory<S>
  private let length: Int
  private let slotStride: Int
  private let firstTag: Int
  private var progress: [BucketProgress]
  private var startedBuckets = 0
  private var finishedBuckets = 0

  /// - Parameters:
  ///   - length: L, elements of the whole buffer: gradients, statistics, losses.
  ///   - buckets: Slices that cover `0..<length` in order.
  ///   - shards: V.
  ///   - firstTag: Bucket b's messages have the tag `firstTag + b`.
  package init(
    length: Int, buckets: [Range<Int>], shards: Int, over group: any Collectives, firstTag: Int = 0
  ) {
    precondition(Self.cover(buckets, length), "\(buckets) do not cover \(length) elements in order")
    let (rank, ranks) = (group.rank, group.ranks)
    local = LocalSum(
      shards: ShardRange.shards(ofRank: rank, of: ranks, shards: shards), of: shards)
    schedules = (0..<min(ranks, max(buckets.count, 1))).map {
      SumSchedule(rank: rank, ranks: ranks, shards: shards, root: $0)
    }
    let slots = max(local.slotCount, schedules.map(\.slotCount).max() ?? 0)
    self.buckets = buckets
    self.group = group
    self.firstTag = firstTag
    // Every slot starts on a cache line.
    let lineElements = AlignedMemory<S>.alignmentBytes / MemoryLayout<S>.stride
    self.length = length
    slotStride = (length + lineElements - 1) / lineElements * lineElements
    memory = AlignedMemory(count: slots * slotStride)
    progress = []
    for bucket in buckets.indices {
      let requests = group.reserveSlots(schedules[bucket % schedules.count].requestCount)
      progress.append(BucketProgress(firstRequest: requests.lowerBound))
    }
  }

  /// How many buffers of L elements this rank holds.
  package var slotCount: Int { slotStride == 0 ? 0 : memory.block.count / slotStride }

  // MARK: The step

  package func beginStep() {
    precondition(
      finishedBuckets == startedBuckets,
      "bucket \(finishedBuckets) of the step before was not waited for")
    startedBuckets = 0
    finishedBuckets = 0
    for bucket in progress.indices { progress[bucket].begin() }
  }

  /// Where backward writes the gradient of local shard `shard`, `[L]`; the old content means nothing.
  package func leaf(forLocalShard shard: Int) -> Block<S> { slot(local.leafSlots[shard]) }

  /// The gradient of a shard without samples, which a small last batch leaves: exact zeros.
  package func zeroLeaf(bucket: Int, localShard shard: Int) {
    leaf(forLocalShard: shard)[buckets[bucket]].fill(0)
  }

  /// Says that the leaf of `shard` is complete in `bucket`, and adds up what this completes.
  package func endLeaf(bucket: Int, localShard shard: Int) {
    precondition(
      progress[bucket].leaves == shard,
      "bucket \(bucket) ended shard \(shard) instead of \(progress[bucket].leaves)")
    progress[bucket].leaves += 1
    let top = local.leafSlots[shard]
    for merge in 0..<local.merges[shard] {
      add(slot: top - merge, into: top - merge - 1, bucket: bucket)
    }
  }

  /// Starts to sum `bucket` over the ranks; its slices belong to the sum until `waitSum` returns.
  ///
  /// - Precondition: Buckets are started in order, each after its last local shard.
  package func startSum(_ bucket: Int) throws(CollectivesError) {
    precondition(bucket == startedBuckets, "bucket \(bucket) started instead of \(startedBuckets)")
    precondition(progress[bucket].leaves == localShards.count, "bucket \(bucket) lacks shards")
    startedBuckets += 1
    let receives = schedules[bucket % schedules.count].receives
    for request in receives.indices {
      try startReceive(
        slot: receives[request].slot, from: receives[request].rank, bucket: bucket, request)
    }
    try advanceOutstanding()
  }

  /// Moves the outstanding buckets forward, without waiting.
  package func poll() throws(CollectivesError) {
    guard finishedBuckets < startedBuckets else { return }
    let start = ContinuousClock.now
    try advanceOutstanding()
    waiting.communication += ContinuousClock.now - start
  }

  /// Returns when `sum` holds the sum over all shards in `bucket`; it may then be changed in place.
  package func waitSum(_ bucket: Int) throws(CollectivesError) {
    precondition(bucket < startedBuckets, "bucket \(bucket) was not started")
    guard !progress[bucket].isFinished else { return }
    let start = ContinuousClock.now
    var attempt = 0
    try advanceOutstanding()
    while !progress[bucket].isFinished {
      group.pause(attempt: attempt)
      attempt += 1
      try advanceOutstanding()
    }
    waiting.communication += ContinuousClock.now - start
  }

  /// Whether `waitSum` would return at once.
  package func isFinished(_ bucket: Int) -> Bool { progress[bucket].isFinished }

  /// The sum over all shards, `[L]`, valid in the buckets that were waited for, until the next step writes
  /// its first leaf, which lies in the same place.
  package var sum: Block<S> { slot(0) }

  // MARK: Carrying out the schedule

  private func advanceOutstanding() throws(CollectivesError) {
    for bucket in finishedBuckets..<startedBuckets where !progress[bucket].isFinished {
      try advance(bucket)
    }
    while finishedBuckets < startedBuckets, progress[finishedBuckets].isFinished {
      finishedBuckets += 1
    }
  }

  /// Takes as many steps as are possible without waiting.
  private func advance(_ bucket: Int) throws(CollectivesError) {
    let steps = schedules[bucket % schedules.count].steps
    while progress[bucket].step < steps.count {
      guard try take(steps[progress[bucket].step], bucket: bucket) else { return }
      progress[bucket].step += 1
      progress[bucket].isUnderWay = false
    }
    progress[bucket].isFinished = true
  }

  /// Whether the step is done.
  private func take(
    _ step: SumSchedule.Step, bucket: Int
  ) throws(CollectivesError) -> Bool {
    let firstRequest = progress[bucket].firstRequest
    switch step {
    case .addReceived(let request, let slot, let target):
      guard try group.test(firstRequest + request) else { return false }
      add(slot: slot, into: target, bucket: bucket)
      return true
    case .add(let slot, let target):
      add(slot: slot, into: target, bucket: bucket)
      return true
    case .send(let slot, let rank, let request):
      try group.startSend(
        self.slot(slot)[buckets[bucket]], to: rank, tag: firstTag + bucket,
        slot: firstRequest + request)
      return true
    case .receiveSum(let rank, let request):
      if !progress[bucket].isUnderWay {
        try startReceive(slot: 0, from: rank, bucket: bucket, request)
        progress[bucket].isUnderWay = true
      }
      return try group.test(firstRequest + request)
    case .wait(let request):
      return try group.test(firstRequest + request)
    }
  }

  private func startReceive(
    slot: Int, from rank: Int, bucket: Int, _ request: Int
  ) throws(CollectivesError) {
    try group.startReceive(
      self.slot(slot)[buckets[bucket]], from: rank, tag: firstTag + bucket,
      slot: progress[bucket].firstRequest + request)
  }

  private func add(slot source: Int, into target: Int, bucket: Int) {
    accumulate(slot(source)[buckets[bucket]], into: slot(target)[buckets[bucket]])
  }

  private func slot(_ index: Int) -> Block<S> {
    memory.block[index * slotStride..<index * slotStride + length]
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

/// How far a bucket has come in this step.
private struct BucketProgress {
  let firstRequest: Int
  var leaves = 0
  var step = 0
  /// Whether the message of the current step was started.
  var isUnderWay = false
  var isFinished = false

  init(firstRequest: Int) {
    self.firstRequest = firstRequest
  }

  mutating func begin() {
    self = BucketProgress(firstRequest: firstRequest)
  }
}
