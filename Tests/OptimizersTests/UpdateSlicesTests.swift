import Optimizers
import Testing

/// How the ranks of a host divide the parameters.
@Suite("Slices of the parameters")
struct UpdateSlicesTests {
  /// Tensors of odd sizes, each from a multiple of 16 on, as a plan lays them out.
  private static let counts = [10_000, 3, 1, 4096, 777, 20_001, 16]

  private static func segments(_ counts: [Int]) -> [ParameterSegment] {
    var offset = 0
    return counts.enumerated().map { index, count in
      defer { offset += (count + 15) / 16 * 16 }
      return ParameterSegment(name: "p\(index)", kind: .weight, offset: offset, count: count)
    }
  }

  @Test(
    "follow each other, cut no block in two and start on cache lines",
    arguments: [counts, [3], [4096], [5, 5, 5], []], 1...9)
  func cuts(counts: [Int], ranks: Int) {
    let blocks = NormBlocks(Self.segments(counts))
    let length = counts.reduce(0) { $0 + ($1 + 15) / 16 * 16 }
    let slices = blocks.slices(ranks, of: length)
    #expect(slices.count == ranks)
    #expect(slices.first?.lowerBound == 0 && slices.last?.upperBound == length)
    for (slice, next) in zip(slices, slices.dropFirst()) {
      #expect(slice.upperBound == next.lowerBound)
      #expect(slice.upperBound % 16 == 0)
    }
    // `blocks(in:)` refuses a range that cuts a block.
    #expect(slices.flatMap { Array(blocks.blocks(in: $0)) } == Array(blocks.ranges.indices))
  }

  @Test("differ by no more than a block from an even share")
  func balance() {
    let blocks = NormBlocks(Self.segments([1_000_000, 16]))
    for ranks in 1...9 {
      let slices = blocks.slices(ranks, of: 1_000_016)
      let share = 1_000_016 / ranks
      #expect(slices.allSatisfy { abs($0.count - share) <= NormBlocks.size + 16 }, "\(slices)")
    }
  }
}
