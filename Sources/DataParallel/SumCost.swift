import Collectives

/// What a sum over the ranks costs: a latency, whatever its size, and a time for every byte.
package struct SumCost: Equatable, Sendable {
  /// Seconds.
  package var latency: Double
  package var secondsPerByte: Double

  package init(latency: Double, secondsPerByte: Double) {
    self.latency = latency
    self.secondsPerByte = secondsPerByte
  }

  /// The line through the times of a small and of a large sum, in seconds.
  package init(small: (bytes: Int, seconds: Double), large: (bytes: Int, seconds: Double)) {
    let slope = (large.seconds - small.seconds) / Double(large.bytes - small.bytes)
    secondsPerByte = max(slope, 1e-12)
    latency = max(small.seconds - secondsPerByte * Double(small.bytes), 0)
  }

  /// Finds both from two sums.
  ///
  /// - Parameter seconds: What a sum of so many bytes, as one bucket, takes.
  package init<Failure: Error>(
    _ seconds: (_ byteCount: Int) throws(Failure) -> Double
  ) throws(Failure) {
    let (small, large) = (1 << 14, 1 << 20)
    self.init(small: (small, try seconds(small)), large: (large, try seconds(large)))
  }

  /// Times sums over `group`, the same figures on every rank; takes milliseconds inside a host.
  package static func measured(over group: any Collectives) throws(CollectivesError) -> SumCost {
    try SumCost { byteCount throws(CollectivesError) in try seconds(ofSum: byteCount, over: group) }
  }

  /// Bytes from which on a bucket is closed.
  ///
  /// Ten times the bytes that take as long as the latency, so that it adds a tenth at most; but no more than
  /// a quarter of the gradient, so that the first buckets travel while backward still computes the others, as
  /// long as latency does not cost more than half.
  package func bucketBytes(gradientBytes: Int) -> Int {
    let even = latency / secondsPerByte
    let wanted = max(min(10 * even, Double(gradientBytes) / 4), even)
    return Int(min(max(wanted, Double(Self.least)), Double(Self.most)))
  }

  private static let least = 1 << 16
  private static let most = 1 << 24

  /// The best of a few, on the slowest rank.
  private static func seconds(
    ofSum byteCount: Int, over group: any Collectives
  ) throws(CollectivesError) -> Double {
    let length = byteCount / MemoryLayout<Float>.stride
    let sum = try GradientSummation<Float>(
      length: length, buckets: [0..<length], shards: group.ranks, over: group)
    var best = Duration.seconds(60)
    for _ in 0..<6 {
      try group.barrier()
      let start = ContinuousClock.now
      try sum.beginStep()
      sum.endLeaf(bucket: 0, localShard: 0)
      try sum.startSum(0)
      try sum.waitSum(0)
      sum.endStep()
      best = min(best, ContinuousClock.now - start)
    }
    return Double(try group.allMaximum(Int(best / .nanoseconds(1)))) * 1e-9
  }
}
