import CAllocationCount
import Collectives
import DataParallel
import MPICollectives
import Storage
import Testing

extension DistributedTests {
  @Suite("Sums over ranks", .serialized)
  @MPIThread
  struct DistributedSumTests {
    let group: any Collectives

    init() throws {
      group = try DistributedTests.group()
    }

    @Test(
      "n ranks get the bits of one tree", arguments: [1, 2, 3, 4, 5, 8, 13],
      [
        [0..<50], [0..<7, 7..<50], [0..<20, 20..<20, 20..<45, 45..<50],
        // Beyond what Open MPI sends at once.
        [0..<10, 10..<60_000, 60_000..<60_001],
      ])
    func bits(shards: Int, buckets: [Range<Int>]) throws {
      guard shards >= group.ranks else { return }
      let length = buckets.last?.upperBound ?? 0
      let sum = try GradientSummation<Float>(
        length: length, buckets: buckets, shards: shards, over: group)
      for step in 0..<3 {
        try Self.add(step: step, into: sum)
        let expected = Self.direct(0..<shards, length: length, step: step)
        let result = withExtendedLifetime(sum) { sum.sum.array }
        let differing = zip(result, expected).count { $0.bitPattern != $1.bitPattern }
        #expect(differing == 0)
      }
    }

    @Test("a step allocates nothing after the first ones")
    func allocations() throws {
      let buckets = [0..<100, 100..<5_000, 5_000..<40_000]
      let sum = try GradientSummation<Float>(length: 40_000, buckets: buckets, shards: 8, over: group)
      for _ in 0..<3 { try Self.addOnes(into: sum) }
      let before = allocation_count_of_thread()
      for _ in 0..<100 { try Self.addOnes(into: sum) }
      let after = allocation_count_of_thread()
      // Open MPI enlarges its pools of messages now and then; nothing of ours is allowed anything.
      #expect(after - before <= (group.ranks == 1 ? 0 : 10))
      withExtendedLifetime(sum) { #expect(sum.sum[39_999] == 8) }
    }

    static func addOnes(into sum: GradientSummation<Float>) throws {
      try sum.beginStep()
      for local in 0..<sum.localShards.count {
        sum.leaf(forLocalShard: local).fill(1)
        for bucket in 0..<sum.buckets.count {
          sum.endLeaf(bucket: bucket, localShard: local)
          if local == sum.localShards.count - 1 { try sum.startSum(bucket) }
          try sum.poll()
        }
      }
      for bucket in 0..<sum.buckets.count { try sum.waitSum(bucket) }
    }

    static func add(step: Int, into sum: GradientSummation<Float>) throws {
      try sum.beginStep()
      for (local, shard) in sum.localShards.enumerated() {
        let leaf = sum.leaf(forLocalShard: local)
        for bucket in sum.buckets.indices {
          for index in sum.buckets[bucket] { leaf[index] = gradient(shard, index, step: step) }
          sum.endLeaf(bucket: bucket, localShard: local)
          if local == sum.localShards.count - 1 { try sum.startSum(bucket) }
          try sum.poll()
        }
      }
      for bucket in sum.buckets.indices { try sum.waitSum(bucket) }
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
    static func direct(_ node: Range<Int>, length: Int, step: Int) -> [Float] {
      guard node.count > 1 else {
        return (0..<length).map { gradient(node.lowerBound, $0, step: step) }
      }
      let left = direct(SummationTree.left(node), length: length, step: step)
      let right = direct(SummationTree.right(node), length: length, step: step)
      return zip(left, right).map { $0 + $1 }
    }
  }
}
