import DataParallel

/// Bytes that move when the gradient, or one bucket of it, is summed: what the host or rank with the most
/// of them has.
package struct SumTraffic: Equatable, Sendable {
  /// Of the sum itself.
  package private(set) var byteCount = 0
  /// Read and written by a rank to add up.
  package private(set) var addedBytesPerRank = 0
  /// Sent by a host to others.
  package private(set) var sentBytesPerHost = 0
  /// Sent by a rank.
  package private(set) var messagesPerRank = 0
  /// Room of a rank for pieces that come in to be added.
  package private(set) var receivedBytesPerRank = 0

  package init() {}

  package init(bucket: Range<Int>, _ layout: HostLayout) {
    byteCount = bucket.count * MemoryLayout<Float>.stride
    var ranks = Array(repeating: SumTraffic(), count: layout.rankCount)
    var hosts = Array(repeating: 0, count: layout.hosts.count)
    for slice in 0..<layout.sliceCount {
      for (host, route) in SumRoute.ofSlice(slice, bucket: bucket, layout).enumerated() {
        let owner = layout.owner(ofSlice: slice, onHost: host)
        ranks[owner].addedBytesPerRank += route.addedBytes
        ranks[owner].messagesPerRank += route.sent.count
        ranks[owner].receivedBytesPerRank += byteSum(route.receivedToAdd)
        hosts[host] += byteSum(route.sent)
      }
    }
    addedBytesPerRank = ranks.map(\.addedBytesPerRank).max() ?? 0
    messagesPerRank = ranks.map(\.messagesPerRank).max() ?? 0
    receivedBytesPerRank = ranks.map(\.receivedBytesPerRank).max() ?? 0
    sentBytesPerHost = hosts.max() ?? 0
  }

  package static func + (a: SumTraffic, b: SumTraffic) -> SumTraffic {
    var sum = a
    sum.byteCount += b.byteCount
    sum.addedBytesPerRank += b.addedBytesPerRank
    sum.sentBytesPerHost += b.sentBytesPerHost
    sum.messagesPerRank += b.messagesPerRank
    sum.receivedBytesPerRank += b.receivedBytesPerRank
    return sum
  }
}

private func byteSum(_ messages: [SumRoute.Message]) -> Int {
  messages.reduce(0) { $0 + $1.byteCount }
}
