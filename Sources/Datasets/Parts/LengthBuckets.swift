/// Which samples of a part are about as long as each other.
package struct LengthBuckets: Equatable, Sendable {
  /// The most steps that a sample of each bucket has, ascending.
  package let ends: [Int]
  /// By place in the part.
  let bucketOfSample: [UInt8]

  /// - Parameters:
  ///   - ends: At most 256; the last is no smaller than any length.
  ///   - lengths: By place in the part.
  package init(ends: [Int], lengths: some Sequence<Int>) {
    precondition(ends.count <= Self.most, "\(ends.count) buckets")
    self.ends = ends
    bucketOfSample = lengths.map { length in
      guard let bucket = ends.firstIndex(where: { length <= $0 }) else {
        preconditionFailure("\(length) steps in buckets up to \(ends.last ?? 0)")
      }
      return UInt8(bucket)
    }
  }

  /// The most buckets that there may be.
  package static let most = 256

  /// Samples of each bucket.
  package var counts: [Int] {
    var counts = Array(repeating: 0, count: ends.count)
    for bucket in bucketOfSample { counts[Int(bucket)] += 1 }
    return counts
  }

  /// `1,204 up to 16 steps, 1,198 up to 32`
  package func text(_ number: (Int) -> String) -> String {
    zip(counts, ends).enumerated().map { index, bucket in
      "\(number(bucket.0)) up to \(number(bucket.1))\(index == 0 ? " steps" : "")"
    }.joined(separator: ", ")
  }
}
