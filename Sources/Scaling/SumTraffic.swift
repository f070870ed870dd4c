import DataParallel

/// Bytes that move when the gradient, or one bucket of it, is summed; of the host with the most.
package struct SumTraffic: Equatable, Sendable {
  /// Of the sum itself.
  package private(set) var byteCount = 0
  /// Read and written by each rank to add up.
  package private(set) var addedBytesPerRank = 0
  /// Sent by each host.
  package private(set) var sentBytesPerHost = 0
  /// Messages sent by each rank.
  package private(set) var messagesPerRank = 0

  /// By bucket.
  package static func ofBuckets(
    _ buckets: [Range<Int>], on cluster: Cluster, shards: Int
  ) -> [SumTraffic] {
    let layout = cluster.layout(shards: shards)
    let host = SumRoute.busiestHost(layout, bucket: buckets.first ?? 0..<0)
    return zip(buckets, SumRoute.ofBuckets(buckets, layout, host: host)).map { bucket, route in
      var traffic = SumTraffic()
      traffic.byteCount = bucket.count * MemoryLayout<Float>.stride
      traffic.addedBytesPerRank = route.addedBytes
      traffic.sentBytesPerHost = route.sentBytes * layout.sliceCount
      traffic.messagesPerRank = route.messageCount
      return traffic
    }
  }

  package static func + (a: SumTraffic, b: SumTraffic) -> SumTraffic {
    var sum = a
    sum.byteCount += b.byteCount
    sum.addedBytesPerRank += b.addedBytesPerRank
    sum.sentBytesPerHost += b.sentBytesPerHost
    sum.messagesPerRank += b.messagesPerRank
    return sum
  }

  package init() {}
}
