import DataParallel
import Testing

@Suite("Host layout")
struct HostLayoutTests {
  @Test("each slice has one owner on each host, and every rank owns one when hosts are alike")
  func owners() {
    let alike = HostLayout(hosts: [0..<3, 3..<6], shards: 8)
    #expect((0..<6).map { alike.slices(ofRank: $0) } == [[0], [1], [2], [0], [1], [2]])
    let mixed = HostLayout(hosts: [0..<3, 3..<4], shards: 8)
    #expect((0..<4).map { mixed.slices(ofRank: $0) } == [[0], [1], [2], [0, 1, 2]])
    let uneven = HostLayout(hosts: [0..<2, 2..<5], shards: 8)
    #expect((0..<5).map { uneven.slices(ofRank: $0) } == [[0, 1], [2], [0], [1], [2]])
  }

  @Test("slices cover a bucket and start on cache lines", arguments: [0, 1, 15, 16, 100, 1_000])
  func slices(count: Int) {
    for ranks in 1...5 {
      let layout = HostLayout(hosts: [0..<ranks], shards: 8)
      let bucket = 32..<32 + count
      let slices = (0..<ranks).map { layout.elements(ofSlice: $0, in: bucket) }
      #expect(slices.flatMap { Array($0) } == Array(bucket))
      #expect(slices.allSatisfy { $0.isEmpty || $0.lowerBound % 16 == 0 })
    }
  }

  @Test("a host's shards are those of its ranks")
  func shards() {
    let layout = HostLayout(hosts: [0..<3, 3..<4], shards: 8)
    #expect(layout.shards(ofHost: 0) == 0..<6)
    #expect(layout.shards(ofHost: 1) == 6..<8)
  }
}
