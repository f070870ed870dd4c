import DataParallel
import Scaling
import Testing

@Suite("Traffic, predicted and counted")
struct CountedTrafficTests {
  @Test(
    "a sum sends the messages and bytes that its routes say, on any number of hosts",
    arguments: [
      (1, 1), (3, 3), (2, 1), (5, 3), (4, 2), (3, 1), (4, 1), (7, 1), (14, 2), (7, 2), (19, 3),
    ]
  )
  func sameAsCounted(ranks: Int, perHost: Int) throws {
    let buckets = [0..<4096, 4096..<4196, 4196..<9000]
    for shards in [ranks, 2 * ranks, ranks + 3, 32] {
      let counted = try ThreadedRank.run(ranks: ranks, perHost: perHost) { group in
        let sum = try GradientSummation<Float>(
          length: 9000, buckets: buckets, shards: shards, over: group)
        try sum.beginStep()
        for shard in 0..<sum.localShards.count {
          for bucket in buckets.indices {
            sum.zeroLeaf(bucket: bucket, localShard: shard)
            sum.endLeaf(bucket: bucket, localShard: shard)
          }
        }
        for bucket in buckets.indices { try sum.startSum(bucket) }
        for bucket in buckets.indices { try sum.waitSum(bucket) }
        sum.endStep()
        return group.sentLengths
      }
      let hosts = stride(from: 0, to: ranks, by: perHost).map { $0..<min($0 + perHost, ranks) }
      let layout = HostLayout(hosts: hosts, shards: shards)
      expectSame(counted, buckets, layout)
    }
  }

  /// - Parameter counted: The lengths of all messages, by rank.
  private func expectSame(_ counted: [[Int]], _ buckets: [Range<Int>], _ layout: HostLayout) {
    var predicted = counted.map { _ in [Int]() }
    var traffic = SumTraffic()
    for bucket in buckets {
      traffic = traffic + SumTraffic(bucket: bucket, layout)
      for slice in 0..<layout.sliceCount {
        for (host, route) in SumRoute.ofSlice(slice, bucket: bucket, layout).enumerated() {
          predicted[layout.owner(ofSlice: slice, onHost: host)] += route.sent.map(\.byteCount)
        }
      }
    }
    #expect(predicted.map { $0.sorted() } == counted.map { $0.sorted() }, "\(layout)")
    // The busiest of each bucket: at least what the busiest has in all.
    let bytes = layout.hosts.map { counted[$0].joined().reduce(0, +) }
    #expect(traffic.sentBytesPerHost >= bytes.max() ?? 0, "\(layout)")
    #expect(traffic.messagesPerRank >= counted.map(\.count).max() ?? 0, "\(layout)")
  }

  @Test("every message is announced by its receiver, and in the order in which it is sent")
  func bothSides() {
    for (ranks, hosts) in [(2, 2), (7, 3), (9, 4), (14, 7), (24, 6)] {
      let layout = Cluster(ranks: ranks, hosts: hosts).layout(shards: 32)
      for slice in 0..<layout.sliceCount {
        let routes = SumRoute.ofSlice(slice, bucket: 0..<8192, layout)
        func messages(_ pick: (SumRoute.Stage) -> [SumRoute.Message]) -> [SumRoute.Message] {
          routes.flatMap { $0.stages.flatMap(pick) }
        }
        let sent = messages { if case .send(let message) = $0 { [message] } else { [] } }
        let posted = messages { if case .post(let expected) = $0 { expected } else { [] } }
        let received = messages { if case .receive(let message) = $0 { [message] } else { [] } }
        #expect(Set(sent).count == sent.count)
        #expect(Set(sent) == Set(posted) && Set(sent) == Set(received), "\(layout)")
      }
    }
  }
}
