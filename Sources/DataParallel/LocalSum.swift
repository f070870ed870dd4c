/// What one rank adds up by itself, shard after shard, on a stack of buffers called slots.
///
/// The gradient of a shard is written straight into the next free slot. Then every subtree that ends with
/// this shard is complete: its right half, on top of the stack, is added into its left half, one slot
/// below. At the end slot k holds `subtrees[k]`. This is counting in binary: V shards of one rank
/// need 1 + log2 V slots.
package struct LocalSum: Equatable, Sendable {
  /// The rank's own shards, in the numbers of the whole batch.
  package let shards: Range<Int>
  /// What the rank holds at the end, in slots 0, 1, ...
  package let subtrees: [Range<Int>]
  /// The slot each shard's gradient is written to, by local shard.
  package private(set) var leafSlots: [Int] = []
  /// How often, after each local shard, the topmost slot is added into the one below.
  package private(set) var merges: [Int] = []

  package init(shards: Range<Int>, of total: Int) {
    self.shards = shards
    subtrees = SummationTree.subtrees(inside: shards, shards: total)
    for (slot, subtree) in subtrees.enumerated() {
      append(subtree, at: slot)
    }
  }

  /// The most slots in use at once.
  package var slotCount: Int { (leafSlots.max() ?? -1) + 1 }

  /// The steps that leave the sum of `node` in `slot`.
  private mutating func append(_ node: Range<Int>, at slot: Int) {
    if node.count == 1 {
      leafSlots.append(slot)
      merges.append(0)
    } else {
      append(SummationTree.left(node), at: slot)
      append(SummationTree.right(node), at: slot + 1)
      merges[merges.count - 1] += 1
    }
  }
}
