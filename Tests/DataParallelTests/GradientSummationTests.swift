import Collectives
import DataParallel
import Kernels
import Storage
import Testing

@Suite("Gradient summation")
struct GradientSummationTests {
  static let layouts: [[Range<Int>]] = [
    [0..<37], [0..<1, 1..<37], [0..<10, 10..<10, 10..<30, 30..<37],
    (0..<37).map { $0..<$0 + 1 },
  ]

  @Test("every rank gets the bits of the direct tree", arguments: 1...9)
  func bits(shards: Int) throws {
    for ranks in 1...shards {
      for buckets in Self.layouts {
        let expected = (0..<3).map { Self.direct(0..<shards, step: $0) }
        for perHost in [1, 2, 3, ranks] where perHost <= ranks {
          let results = try ThreadedRank.run(ranks: ranks, perHost: perHost) { group in
            try Self.steps(3, shards: shards, buckets: buckets, over: group)
          }
          #expect(
            results.allSatisfy { $0 == expected }, "\(ranks) ranks, \(perHost) per host, \(buckets)"
          )
        }
      }
    }
  }

  @Test("pieces of long slices travel between hosts", arguments: [2, 3, 4, 5, 8], [1, 2, 3])
  func longSlices(hosts: Int, perHost: Int) throws {
    let ranks = hosts * perHost
    let buckets = [0..<7_001, 7_001..<7_040, 7_040..<20_000]
    let results = try ThreadedRank.run(ranks: ranks, perHost: perHost) { group in
      let sum = try GradientSummation<Float>(
        length: 20_000, buckets: buckets, shards: ranks + 1, over: group)
      for step in 0..<2 {
        try sum.beginStep()
        for (local, shard) in sum.localShards.enumerated() {
          for bucket in buckets.indices {
            for index in buckets[bucket] {
              sum.leaf(forLocalShard: local)[index] = Self.gradient(shard, index, step: step)
            }
            sum.endLeaf(bucket: bucket, localShard: local)
            if local == sum.localShards.count - 1 { try sum.startSum(bucket) }
          }
        }
        for bucket in buckets.indices { try sum.waitSum(bucket) }
      }
      return withExtendedLifetime(sum) { sum.sum.array.map(\.bitPattern) }
    }
    let expected = Self.direct(0..<ranks + 1, length: 20_000, step: 1)
    for (rank, result) in results.enumerated() {
      #expect(result == expected, "rank \(rank) of \(ranks)")
    }
  }

  @Test("shards may be walked inside buckets", arguments: 1...5)
  func bucketMajor(ranks: Int) throws {
    let buckets = [0..<10, 10..<30, 30..<37]
    let results = try ThreadedRank.run(ranks: ranks) { group in
      let sum = try GradientSummation<Float>(length: 37, buckets: buckets, shards: 5, over: group)
      try sum.beginStep()
      for bucket in buckets.indices {
        for (local, shard) in sum.localShards.enumerated() {
          for index in buckets[bucket] {
            sum.leaf(forLocalShard: local)[index] = Self.gradient(shard, index, step: 7)
          }
          sum.endLeaf(bucket: bucket, localShard: local)
        }
        try sum.startSum(bucket)
      }
      for bucket in buckets.indices { try sum.waitSum(bucket) }
      return withExtendedLifetime(sum) { sum.sum.array.map(\.bitPattern) }
    }
    #expect(results.allSatisfy { $0 == Self.direct(0..<5, step: 7) })
  }

  @Test("a shard without samples adds exact zeros", arguments: 1...3)
  func emptyShard(ranks: Int) throws {
    let results = try ThreadedRank.run(ranks: ranks) { group in
      let sum = try GradientSummation<Double>(length: 2, buckets: [0..<2], shards: 3, over: group)
      for _ in 0..<2 {
        try sum.beginStep()
        for (local, shard) in sum.localShards.enumerated() {
          if shard == 1 {
            sum.zeroLeaf(bucket: 0, localShard: local)
          } else {
            sum.leaf(forLocalShard: local).copy(from: [0.1 * Double(shard + 1), -4])
          }
          sum.endLeaf(bucket: 0, localShard: local)
        }
        try sum.startSum(0)
        try sum.waitSum(0)
      }
      return withExtendedLifetime(sum) { sum.sum.array }
    }
    #expect(results.allSatisfy { $0 == [0.1 + 0.1 * 3.0, -8] })
  }

  @Test("eight shards need no more buffers than the tree is deep")
  func slotCounts() throws {
    for (ranks, most) in [(1, 4), (2, 3), (4, 2), (8, 1)] {
      let counts = try ThreadedRank.run(ranks: ranks) { group in
        try GradientSummation<Float>(
          length: 16, buckets: [0..<8, 8..<16], shards: 8, over: group
        ).slotCount
      }
      #expect(counts.max() == most, "\(ranks) ranks")
    }
  }

  /// The sums of several steps, as bits; `poll` comes at odd moments.
  static func steps(
    _ count: Int, shards: Int, buckets: [Range<Int>], over group: any Collectives
  ) throws -> [[UInt32]] {
    let length = buckets.last?.upperBound ?? 0
    let sum = try GradientSummation<Float>(
      length: length, buckets: buckets, shards: shards, over: group)
    return try (0..<count).map { step in
      try sum.beginStep()
      for (local, shard) in sum.localShards.enumerated() {
        for bucket in buckets.indices {
          for index in buckets[bucket] {
            sum.leaf(forLocalShard: local)[index] = gradient(shard, index, step: step)
          }
          sum.endLeaf(bucket: bucket, localShard: local)
          if local == sum.localShards.count - 1 { try sum.startSum(bucket) }
          if (bucket + local) % 3 == 0 { try sum.poll() }
        }
      }
      for bucket in buckets.indices { try sum.waitSum(bucket) }
      return withExtendedLifetime(sum) { sum.sum.array.map(\.bitPattern) }
    }
  }

  /// Numbers of very different size, so that another order of additions gives other bits.
  static func gradient(_ shard: Int, _ index: Int, step: Int) -> Float {
    var bits = UInt64(shard * 1009 + index * 31 + step * 65537) &* 0x9E37_79B9_7F4A_7C15
    bits ^= bits >> 29
    bits &*= 0xBF58_476D_1CE4_E5B9
    let magnitude = Float(sign: .plus, exponent: Int(bits >> 59) - 16, significand: 1)
    return (Float(bits >> 32 & 0xFF_FFFF) / 0x80_0000 - 1) * magnitude
  }

  /// The tree's sum, computed as the definition says.
  static func direct(_ node: Range<Int>, length: Int = 37, step: Int) -> [UInt32] {
    func sum(_ node: Range<Int>, _ index: Int) -> Float {
      guard node.count > 1 else { return gradient(node.lowerBound, index, step: step) }
      return sum(SummationTree.left(node), index) + sum(SummationTree.right(node), index)
    }
    return (0..<length).map { sum(node, $0).bitPattern }
  }

  @Test("the numbers of these tests tell one order of additions from another")
  func sensitivity() {
    let forward = (0..<37).map { index in
      (0..<8).reduce(Float(0)) { $0 + Self.gradient($1, index, step: 0) }.bitPattern
    }
    #expect(zip(forward, Self.direct(0..<8, step: 0)).count { $0 != $1 } > 5)
  }
}
