import CAllocationCount
import Collectives
import DataParallel
import Foundation
import Storage
import Testing

@Suite("Sums within a micro-shard")
struct BatchSumsTests {
  private static let counts = [3, 16, 40]

  /// The number of a rank at a place of a sum.
  private static func number(_ rank: Int, _ sum: Int, _ index: Int, step: Int) -> Double {
    sin(Double(7 * rank + 3 * sum + index) + 0.3 * Double(step)) * pow(10, Double(rank % 3))
  }

  /// The sum in the tree over the ranks.
  private static func expected(_ node: Range<Int>, _ sum: Int, _ index: Int, step: Int) -> Double {
    guard node.count > 1 else { return number(node.lowerBound, sum, index, step: step) }
    return expected(SummationTree.left(node), sum, index, step: step)
      + expected(SummationTree.right(node), sum, index, step: step)
  }

  private static func gradients(over group: ThreadedRank) throws -> GradientSummation<Double> {
    try GradientSummation(
      length: 600, buckets: [0..<40, 40..<600], shards: group.ranks, over: group, firstTag: 5)
  }

  /// A step whose gradients are under way while the small sums are formed.
  private static func takeStep(
    _ step: Int, _ rank: Int, _ gradients: GradientSummation<Double>, _ sums: BatchSums<Double>,
    _ block: Block<Double>, check: (_ sum: Int, Block<Double>) -> Void
  ) throws {
    try gradients.beginStep()
    try sums.beginStep()
    gradients.leaf(forLocalShard: 0).fill(Double(rank + step))
    for (sum, count) in counts.enumerated() {
      if sum < gradients.buckets.count {
        gradients.endLeaf(bucket: sum, localShard: 0)
        try gradients.startSum(sum)
      }
      let share = block.prefix(count)
      for index in 0..<count { share[index] = number(rank, sum, index, step: step) }
      try sums.sum(share)
      check(sum, share)
    }
    sums.endStep()
    for bucket in gradients.buckets.indices { try gradients.waitSum(bucket) }
  }

  @Test(
    "all ranks get the tree's sum, beside gradients that are on their way",
    arguments: [1, 2, 3, 5], [1, 2, 5])
  func sums(ranks: Int, perHost: Int) throws {
    let faults = try ThreadedRank.run(ranks: ranks, perHost: perHost) { group in
      let gradients = try Self.gradients(over: group)
      let sums = try BatchSums<Double>(counts: Self.counts, beside: gradients, over: group)
      let memory = AlignedMemory<Double>(count: 40)
      var faults = 0
      for step in 0..<4 {
        try Self.takeStep(step, group.rank, gradients, sums, memory.block) { sum, block in
          for index in 0..<block.count
          where block[index] != Self.expected(0..<ranks, sum, index, step: step) { faults += 1 }
        }
        let total = Double(ranks * (ranks - 1) / 2 + ranks * step)
        faults += gradients.sum.array.count { $0 != total }
        gradients.endStep()
      }
      return faults
    }
    #expect(faults == [Int](repeating: 0, count: ranks))
  }

  @Test("waiting for a slow rank counts as waiting for it")
  func waiting() throws {
    let waits = try ThreadedRank.run(ranks: 2) { group in
      let gradients = try Self.gradients(over: group)
      let sums = try BatchSums<Double>(counts: Self.counts, beside: gradients, over: group)
      let memory = AlignedMemory<Double>(count: 40)
      if group.rank == 1 { Thread.sleep(forTimeInterval: 0.2) }
      try Self.takeStep(0, group.rank, gradients, sums, memory.block) { _, _ in }
      group.barrier()
      return sums.waiting
    }
    #expect(waits[0].late > .milliseconds(150))
    #expect(waits[1].late < .milliseconds(100))
  }

  @Test("nothing is allocated after the first step")
  func allocations() throws {
    let counts = try ThreadedRank.run(ranks: 2) { group in
      let gradients = try Self.gradients(over: group)
      let sums = try BatchSums<Double>(counts: Self.counts, beside: gradients, over: group)
      let memory = AlignedMemory<Double>(count: 40)
      try Self.takeStep(0, group.rank, gradients, sums, memory.block) { _, _ in }
      let before = allocation_count_of_thread()
      for step in 1..<20 {
        try Self.takeStep(step, group.rank, gradients, sums, memory.block) { _, _ in }
      }
      let count = allocation_count_of_thread() - before
      group.barrier()
      return Int(count)
    }
    #expect(counts == [0, 0])
  }
}
