import DataParallel
import Testing

@Suite("Shard ranges")
struct ShardRangeTests {
  @Test("ranks own all shards in order, sizes differing by at most one", arguments: 1...17)
  func shardsOfRanks(shards: Int) {
    for ranks in 1...shards {
      let ranges = (0..<ranks).map { ShardRange.shards(ofRank: $0, of: ranks, shards: shards) }
      expectEvenCover(ranges, of: shards)
      #expect(ranges.allSatisfy { !$0.isEmpty })
    }
  }

  @Test("shards hold all samples in order, also fewer samples than shards", arguments: 0...40)
  func samplesOfShards(samples: Int) {
    for shards in 1...9 {
      expectEvenCover(
        (0..<shards).map { ShardRange.samples(ofShard: $0, of: shards, samples: samples) },
        of: samples)
    }
  }

  private func expectEvenCover(_ ranges: [Range<Int>], of count: Int) {
    #expect(ranges.flatMap(Array.init) == Array(0..<count))
    let sizes = ranges.map(\.count)
    #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
  }
}
