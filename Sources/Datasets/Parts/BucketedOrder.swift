/// The order of an epoch whose batches hold samples of about the same length.
///
/// The samples, in the order of `EpochOrder`, fill batches bucket by bucket. What is left of a bucket goes to the
/// front of the next longer one, so that all batches but one are full; they stand in the order of another permutation,
/// the smaller one last. A pure function of seed and epoch that takes O(samples) when an epoch begins, or a resumed run
/// enters it, and nothing at a step.
package struct BucketedOrder: SampleOrder {
  /// By position.
  private let samples: [UInt32]
  /// By batch.
  private let buckets: [UInt8]

  /// - Parameters:
  ///   - batch: Samples of a batch.
  ///   - epoch: From 0.
  package init(_ lengths: LengthBuckets, batch: Int, seed: UInt64, epoch: Int) {
    let batches = Self.batches(lengths, batch: batch, seed: seed, epoch: epoch)
    let fullCount =
      batches.last.map { $0.samples.count < batch } ?? false
      ? batches.count - 1 : batches.count
    let order = EpochOrder(
      count: fullCount, seed: seed, epoch: epoch, purpose: "data.batch_order")
    let arranged = batches.indices.map { batches[$0 < fullCount ? order.sample(at: $0) : $0] }
    samples = arranged.flatMap(\.samples)
    buckets = arranged.map(\.bucket)
  }

  package var count: Int { samples.count }

  package func sample(at position: Int) -> Int { Int(samples[position]) }

  package func lengthBucket(ofBatch batch: Int) -> Int { Int(buckets[batch]) }

  /// Those of the shortest bucket first, one that may be smaller last.
  private static func batches(
    _ lengths: LengthBuckets, batch: Int, seed: UInt64, epoch: Int
  ) -> [(samples: ArraySlice<UInt32>, bucket: UInt8)] {
    let all = lengths.bucketOfSample
    let order = EpochOrder(count: all.count, seed: seed, epoch: epoch)
    var members = Array(repeating: [UInt32](), count: lengths.ends.count)
    for position in all.indices {
      let sample = order.sample(at: position)
      members[Int(all[sample])].append(UInt32(sample))
    }
    var batches: [(ArraySlice<UInt32>, UInt8)] = []
    var rest: ArraySlice<UInt32> = []
    for (bucket, own) in members.enumerated() {
      var waiting = rest + own
      while waiting.count >= batch {
        batches.append((waiting.prefix(batch), UInt8(bucket)))
        waiting = waiting.dropFirst(batch)
      }
      rest = waiting
    }
    if let longest = rest.map({ all[Int($0)] }).max() { batches.append((rest, longest)) }
    return batches
  }
}
