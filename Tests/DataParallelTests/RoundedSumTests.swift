import CAllocationCount
import Collectives
import DataParallel
import Kernels
import Storage
import Testing

/// Sums whose pieces travel between hosts in 16 bits.
@Suite("Rounded sums")
struct RoundedSumTests {
  static let formats = [WireFormat.bfloat16, .float16]
  private static let exactCount = 20
  private static let length = 3_000
  private static let buckets = [0..<700, 700..<760, 760..<3_000]

  /// A summation of `shards` gradients that repeat in every step.
  private static func summation<S: Scalar>(
    _ format: WireFormat, shards: Int, over group: any Collectives,
    buckets: [Range<Int>] = buckets, as scalar: S.Type = S.self
  ) throws -> GradientSummation<S> {
    try GradientSummation(
      length: length, buckets: buckets, shards: shards, over: group,
      rounding: WireRounding(format, exactCount: exactCount))
  }

  private static func gradient(_ shard: Int, _ index: Int, step: Int) -> Double {
    let x = Double((shard * 7919 + index * 104_729 + step * 31) % 10_007) / 10_007 - 0.3
    return x * (index % 3 == 0 ? 1e-4 : 1)
  }

  /// One step; the sum is read before it ends.
  private static func step<S: Scalar>(
    _ sum: GradientSummation<S>, number: Int = 0, scale: Double = 1
  ) throws -> [S] {
    try sum.beginStep()
    for (local, shard) in sum.localShards.enumerated() {
      let leaf = sum.leaf(forLocalShard: local)
      for bucket in sum.buckets.indices {
        for index in sum.buckets[bucket] {
          leaf[index] = S(gradient(shard, index, step: number) * scale)
        }
        sum.endLeaf(bucket: bucket, localShard: local)
        if local == sum.localShards.count - 1 { try sum.startSum(bucket) }
      }
    }
    for bucket in sum.buckets.indices { try sum.waitSum(bucket) }
    return withExtendedLifetime(sum) { sum.sum.array }
  }

  @Test(
    "all ranks get the same bits, near the sum; what must be exact is", arguments: formats,
    [(2, 1), (3, 1), (4, 2), (5, 2), (4, 1), (7, 3), (8, 1)])
  func sameBits(format: WireFormat, layout: (ranks: Int, perHost: Int)) throws {
    let shards = layout.ranks + 1
    func run(_ format: WireFormat) throws -> [[[UInt32]]] {
      try ThreadedRank.run(ranks: layout.ranks, perHost: layout.perHost) { group in
        let sum: GradientSummation<Float> = try Self.summation(format, shards: shards, over: group)
        return try (0..<3).map { try Self.step(sum, number: $0).map(\.bitPattern) }
      }
    }
    let (rounded, exact) = (try run(format), try run(.float32)[0])
    #expect(rounded.allSatisfy { $0 == rounded[0] })
    for step in 0..<3 {
      #expect(rounded[0][step].prefix(Self.exactCount) == exact[step].prefix(Self.exactCount))
      let errors = zip(rounded[0][step], exact[step]).map {
        abs(Float(bitPattern: $0) - Float(bitPattern: $1))
      }
      // Up to one rounding per host and one of the result, of numbers up to the shards' sum.
      let unit: Float = format == .bfloat16 ? 0x1p-8 : 0x1p-11
      let worst = errors.max() ?? 0
      #expect(worst <= 2 * unit * Float(shards) * Float(layout.ranks + 1), "\(worst)")
      #expect(errors.count { $0 > 0 } > Self.length / 2, "nothing was rounded")
    }
  }

  @Test("one host rounds nothing", arguments: formats)
  func oneHost(format: WireFormat) throws {
    func run(_ format: WireFormat) throws -> [[Float]] {
      try ThreadedRank.run(ranks: 3, perHost: 3) { group in
        let sum: GradientSummation<Float> = try Self.summation(format, shards: 4, over: group)
        #expect(sum.residuals == nil)
        return try Self.step(sum)
      }
    }
    #expect(try run(format) == run(.float32))
  }

  @Test("with feedback the mean of T sums comes near the true sum as 1/T", arguments: formats)
  func feedback(format: WireFormat) throws {
    let steps = 64
    let results = try ThreadedRank.run(ranks: 4, perHost: 1) { group in
      let sum: GradientSummation<Double> = try Self.summation(format, shards: 4, over: group)
      let exact: GradientSummation<Double> = try Self.summation(.float32, shards: 4, over: group)
      let truth = try Self.step(exact)
      var total = truth.map { _ in 0.0 }
      return try (1...steps).map { count in
        total = zip(total, try Self.step(sum)).map { $0 + $1 }
        return zip(total, truth).map { abs($0 / Double(count) - $1) }.max() ?? 0
      }
    }
    let errors = results[0]
    // What is held back at the end: at most half a last bit for each of 3 hosts and for the result.
    let bound = (format == .bfloat16 ? 0x1p-8 : 0x1p-11) * 4.0 * 4
    for count in 1...steps { #expect(errors[count - 1] <= bound / Double(count), "\(count) steps") }
    // The first step is one without feedback, and without it all others would be the same.
    #expect(errors[0] > bound / 16)
    #expect(errors[steps - 1] < errors[0] / 16)
  }

  @Test("halves what travels", arguments: formats)
  func traffic(format: WireFormat) throws {
    func bytes(_ format: WireFormat) throws -> Int {
      try ThreadedRank.run(ranks: 4, perHost: 2) { group in
        let sum: GradientSummation<Float> = try Self.summation(format, shards: 4, over: group)
        _ = try Self.step(sum)
        return group.sentLengths.reduce(0, +)
      }.reduce(0, +)
    }
    let (full, half) = (try bytes(.float32), try bytes(format))
    #expect(full == 2 * Self.length * MemoryLayout<Float>.stride)
    // All but the exact elements take half; each message has an exponent of two bytes.
    let saved = 2 * (Self.length - Self.exactCount) * 2
    #expect(full - half <= saved && full - half >= saved - 2 * 2 * 2 * 2 * Self.buckets.count)
  }

  @Test("gradients of any size travel, also in float16", arguments: formats, [1e-30, 1e-9, 1e30])
  func sizes(format: WireFormat, scale: Double) throws {
    let results = try ThreadedRank.run(ranks: 2, perHost: 1) { group in
      let sum: GradientSummation<Float> = try Self.summation(format, shards: 2, over: group)
      let exact: GradientSummation<Float> = try Self.summation(.float32, shards: 2, over: group)
      return zip(try Self.step(sum, scale: scale), try Self.step(exact, scale: scale)).map {
        abs(Double($0) - Double($1))
      }.max() ?? 0
    }
    #expect(results[0] < 0.03 * scale)
  }

  @Test("a number that is not finite reaches all", arguments: formats, [Float.nan, .infinity])
  func notFinite(format: WireFormat, bad: Float) throws {
    let results = try ThreadedRank.run(ranks: 3, perHost: 1) { group in
      let sum: GradientSummation<Float> = try Self.summation(format, shards: 3, over: group)
      try sum.beginStep()
      let leaf = sum.leaf(forLocalShard: 0)
      leaf.fill(1)
      if group.rank == 1 { for index in [30, 720, 2_999] { leaf[index] = bad } }
      for bucket in sum.buckets.indices {
        sum.endLeaf(bucket: bucket, localShard: 0)
        try sum.startSum(bucket)
      }
      for bucket in sum.buckets.indices { try sum.waitSum(bucket) }
      return withExtendedLifetime(sum) { sum.sum.array.indices.filter { !sum.sum[$0].isFinite } }
    }
    #expect(results.allSatisfy { $0 == [30, 720, 2_999] })
  }

  @Test("a step allocates nothing after the first", arguments: formats)
  func allocations(format: WireFormat) throws {
    let sum: GradientSummation<Float> = try Self.summation(
      format, shards: 4, over: SilentHosts())
    func step() throws {
      try sum.beginStep()
      for local in 0..<sum.localShards.count {
        sum.leaf(forLocalShard: local).fill(1)
        for bucket in 0..<sum.buckets.count {
          sum.endLeaf(bucket: bucket, localShard: local)
          if local == sum.localShards.count - 1 { try sum.startSum(bucket) }
        }
      }
      for bucket in 0..<sum.buckets.count { try sum.waitSum(bucket) }
    }
    try step()
    let before = allocation_count_of_thread()
    for _ in 0..<20 { try step() }
    #expect(allocation_count_of_thread() - before == 0)
  }

  // MARK: Residuals

  @Test(
    "a run that is saved and goes on has the bits of one in one go, whatever the buckets",
    arguments: [(2, 1), (3, 1), (4, 2), (5, 2)])
  func resumed(layout: (ranks: Int, perHost: Int)) throws {
    let results = try ThreadedRank.run(ranks: layout.ranks, perHost: layout.perHost) { group in
      let whole: GradientSummation<Float> = try Self.summation(.bfloat16, shards: 6, over: group)
      _ = try (0..<3).map { try Self.step(whole, number: $0) }
      let saved = try #require(try whole.residuals?.gather())
      #expect(saved.isEmpty == !group.isRoot)
      let again: GradientSummation<Float> = try Self.summation(.bfloat16, shards: 6, over: group)
      #expect(try again.residuals?.restore(saved) == .same)
      return try (3..<6).allSatisfy { number in
        try Self.step(whole, number: number) == Self.step(again, number: number)
      }
    }
    #expect(results.allSatisfy { $0 })
  }

  @Test("on other hosts nothing that was kept back is lost")
  func otherHosts() throws {
    let saved = try ThreadedRank.run(ranks: 4, perHost: 1) { group in
      let sum: GradientSummation<Float> = try Self.summation(.bfloat16, shards: 4, over: group)
      _ = try Self.step(sum)
      return try sum.residuals?.gather().map { Part(subtree: $0.subtree, values: $0.memory.array) }
        ?? []
    }[0]
    #expect(saved.map(\.subtree) == [0..<1, 1..<2, 2..<3, 3..<4])
    let kept = try ThreadedRank.run(ranks: 2, perHost: 1) { group in
      let sum: GradientSummation<Float> = try Self.summation(.bfloat16, shards: 4, over: group)
      let parts =
        group.isRoot
        ? saved.map {
          WireResiduals<Float>.Saved(
            subtree: $0.subtree, memory: AlignedMemory(copying: $0.values))
        } : []
      #expect(try sum.residuals?.restore(parts) == .addedUp)
      return try sum.residuals?.gather().map { $0.memory.array } ?? []
    }[0]
    let total = saved.dropFirst().reduce(saved[0].values) { zip($0, $1.values).map { $0 + $1 } }
    #expect(kept == [total, total.map { _ in 0 }])
    #expect(total.contains { $0 != 0 })
  }

  private struct Part: Sendable {
    var subtree: Range<Int>
    var values: [Float]
  }
}
