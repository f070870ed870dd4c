import DataParallel
import Testing

@Suite("Local sums")
struct LocalSumTests {
  @Test("the program of a rank leaves its subtrees in the first slots", arguments: 1...16)
  func programs(shards: Int) {
    for ranks in 1...shards {
      for rank in 0..<ranks {
        let range = ShardRange.shards(ofRank: rank, of: ranks, shards: shards)
        let local = LocalSum(shards: range, of: shards)
        #expect(Self.run(local) == local.subtrees.map { Expression.tree($0) })
      }
    }
  }

  @Test("one rank needs one slot more than the depth of the tree")
  func depth() {
    let slots = [1, 2, 4, 8, 16, 64].map { LocalSum(shards: 0..<$0, of: $0).slotCount }
    #expect(slots == [1, 2, 3, 4, 5, 7])
  }

  @Test("eight shards on one rank count in binary")
  func binaryCounter() {
    let local = LocalSum(shards: 0..<8, of: 8)
    #expect(local.leafSlots == [0, 1, 1, 2, 1, 2, 2, 3])
    #expect(local.merges == [0, 1, 0, 2, 0, 1, 0, 3])
  }

  static func run(_ local: LocalSum) -> [Expression?] {
    var slots = [Expression?](repeating: nil, count: local.slotCount)
    for (index, shard) in local.shards.enumerated() {
      let top = local.leafSlots[index]
      precondition(slots[top] == nil, "slot \(top) is in use")
      slots[top] = .leaf(shard)
      for merge in 0..<local.merges[index] {
        guard let below = slots[top - merge - 1], let above = slots[top - merge] else {
          return slots
        }
        slots[top - merge - 1] = below + above
        slots[top - merge] = nil
      }
    }
    return Array(slots.prefix(local.subtrees.count))
  }
}
