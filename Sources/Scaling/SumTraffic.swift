/// Bytes that move when the gradient, or one bucket of it, is summed.
package struct SumTraffic: Equatable, Sendable {
  /// Of the sum itself.
  package let byteCount: Int
  /// Read and written by each rank in its host's memory.
  package let memoryBytesPerRank: Int
  /// Sent, and received as well, by each host.
  package let networkBytesPerHost: Int
  /// Messages sent by each rank.
  package let messagesPerRank: Int

  package init(byteCount: Int, on cluster: Cluster) {
    self.byteCount = byteCount
    let exchange = SliceExchange(hosts: cluster.hosts)
    let local = cluster.localRanks
    // The owner of a slice reads it from every local rank and writes the sum.
    memoryBytesPerRank = local == 1 ? 0 : byteCount / local * (local + 1)
    networkBytesPerHost = Int((Double(byteCount) * exchange.sentPerByte).rounded())
    messagesPerRank = exchange.stages.count { $0.kind != .fold }
  }
}

extension SumTraffic {
  /// The buckets of a step together.
  package init(sumOf buckets: [SumTraffic]) {
    byteCount = buckets.reduce(0) { $0 + $1.byteCount }
    memoryBytesPerRank = buckets.reduce(0) { $0 + $1.memoryBytesPerRank }
    networkBytesPerHost = buckets.reduce(0) { $0 + $1.networkBytesPerHost }
    messagesPerRank = buckets.reduce(0) { $0 + $1.messagesPerRank }
  }
}
