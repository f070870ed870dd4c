import Datasets
import Testing

@Suite("The order of samples of different length")
struct BucketedOrderTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var ends: [Int]
    var batch: Int
    /// By sample.
    var lengths: [Int]

    var testDescription: String { "\(lengths.count) samples, buckets \(ends), batches of \(batch)" }

    var buckets: LengthBuckets { LengthBuckets(ends: ends, lengths: lengths) }

    func order(seed: UInt64 = 3, epoch: Int = 2) -> BucketedOrder {
      BucketedOrder(buckets, batch: batch, seed: seed, epoch: epoch)
    }

    /// The samples of each batch.
    func batches(_ order: BucketedOrder) -> [[Int]] {
      stride(from: 0, to: lengths.count, by: batch).map { start in
        (start..<min(start + batch, lengths.count)).map { order.sample(at: $0) }
      }
    }
  }

  static let cases = [
    Case(ends: [8, 16, 32], batch: 10, lengths: (0..<237).map { $0 * 7 % 33 }),
    // Batches that divide the samples, a bucket that nobody is in, one that fills no batch.
    Case(ends: [2, 4, 20], batch: 8, lengths: (0..<64).map { $0 % 20 == 0 ? 1 : 5 + $0 % 16 }),
    Case(ends: [10, 20], batch: 50, lengths: [3, 12, 20, 0]),
    Case(ends: [10, 20], batch: 1, lengths: [3, 12, 20, 0]),
    // The longest are not there, and the rest stays in its own bucket.
    Case(ends: [4, 8, 64], batch: 6, lengths: (0..<40).map { $0 % 9 }),
  ]

  @Test("every sample comes once, in batches that all but one are full", arguments: cases)
  func permutation(example: Case) {
    let order = example.order()
    #expect(order.count == example.lengths.count)
    let samples = (0..<order.count).map { order.sample(at: $0) }
    #expect(samples.sorted() == Array(example.lengths.indices))
  }

  @Test(
    "no sample is longer than its batch's bucket, and one is longer than the bucket before",
    arguments: cases)
  func bucketsFit(example: Case) {
    let order = example.order()
    for (index, batch) in example.batches(order).enumerated() {
      let bucket = order.lengthBucket(ofBatch: index)
      let longest = batch.map { example.lengths[$0] }.max() ?? 0
      #expect(longest <= example.ends[bucket])
      #expect(bucket == 0 || longest > example.ends[bucket - 1])
    }
  }

  @Test("less than a batch of each bucket moves up", arguments: cases)
  func rests(example: Case) {
    let order = example.order()
    var moved = Array(repeating: 0, count: example.ends.count)
    for (index, batch) in example.batches(order).enumerated() {
      for sample in batch {
        let own = example.ends.firstIndex { example.lengths[sample] <= $0 } ?? 0
        if own < order.lengthBucket(ofBatch: index) { moved[own] += 1 }
      }
    }
    #expect(moved.allSatisfy { $0 < example.batch }, "\(moved)")
    #expect(moved.last == 0)
  }

  @Test("it is a function of seed and epoch, another for each")
  func function() {
    let example = Self.cases[0]
    func samples(_ order: BucketedOrder) -> [Int] { example.batches(order).flatMap(\.self) }
    func buckets(_ order: BucketedOrder) -> [Int] {
      example.batches(order).indices.map(order.lengthBucket)
    }
    let first = example.order()
    #expect(samples(first) == samples(example.order()))
    #expect(samples(first) != samples(example.order(epoch: 3)))
    #expect(samples(first) != samples(example.order(seed: 4)))
    // Lengths are mixed over the epoch, not sorted.
    #expect(buckets(first) != buckets(first).sorted())
    #expect(buckets(first) != buckets(example.order(epoch: 3)))
  }

  @Test("buckets are counted and told")
  func text() {
    let buckets = LengthBuckets(ends: [8, 16], lengths: [0, 8, 9, 16, 3])
    #expect(buckets.counts == [3, 2])
    #expect(buckets.text { "\($0)" } == "3 up to 8 steps, 2 up to 16")
  }
}
