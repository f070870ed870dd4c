import DataParallel
import Kernels
import Storage
import Testing

@Suite("Sums in place")
struct SumOverRanksTests {
  @Test(
    "every rank gets the sum of what all had, again and again",
    arguments: [(1, 1), (2, 1), (2, 2), (3, 2), (4, 2), (5, 1)],
    [(1, 1), (50, 16), (64, 64), (1000, 333)])
  func sums(layout: (ranks: Int, perHost: Int), size: (length: Int, bucket: Int)) throws {
    let results = try ThreadedRank.run(ranks: layout.ranks, perHost: layout.perHost) { group in
      let first = try SumOverRanks<Float>(
        length: size.length, bucketElements: size.bucket, over: group)
      let second = try SumOverRanks<Float>(
        length: 7, bucketElements: 7, over: group, firstTag: first.nextTag)
      let (long, short) = (AlignedMemory<Float>(count: size.length), AlignedMemory<Float>(count: 7))
      for round in 0..<3 {
        long.block.copy(from: (0..<size.length).map { Float($0 + round * group.rank) })
        short.block.fill(Float(group.rank + round))
        try second.replace(short.block)
        try first.replace(long.block)
      }
      return (long.array, short.array)
    }
    let ranks = layout.ranks
    let rankSum = ranks * (ranks - 1) / 2
    for (long, short) in results {
      #expect(long == (0..<size.length).map { Float($0 * ranks + 2 * rankSum) })
      #expect(short == Array(repeating: Float(rankSum + 2 * ranks), count: 7))
    }
  }
}
