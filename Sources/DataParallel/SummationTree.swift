/// The fixed binary tree in which the shards' gradients are added: `((g0+g1)+(g2+g3))+g4` for 5 shards.
///
/// A node is the range of shards below it. A node of n > 1 shards has on its left the largest power of
/// two smaller than n, on its right the rest. The tree depends on nothing else, and float addition
/// commutes, so whoever adds the two halves of a node gets the same bits.
package enum SummationTree {
  /// Where `node` is cut: its halves are `lowerBound..<cut` and `cut..<upperBound`.
  package static func cut(_ node: Range<Int>) -> Int {
    precondition(node.count > 1, "\(node) is a leaf")
    return node.lowerBound + 1 << (Int.bitWidth - 1 - (node.count - 1).leadingZeroBitCount)
  }

  package static func left(_ node: Range<Int>) -> Range<Int> { node.lowerBound..<cut(node) }

  package static func right(_ node: Range<Int>) -> Range<Int> { cut(node)..<node.upperBound }

  /// The largest nodes of the tree over `0..<shards` that lie inside `range`, from left to right:
  /// what a rank that owns `range` can add up by itself.
  package static func subtrees(inside range: Range<Int>, shards: Int) -> [Range<Int>] {
    subtrees(inside: range, below: 0..<shards)
  }

  private static func subtrees(inside range: Range<Int>, below node: Range<Int>) -> [Range<Int>] {
    guard range.overlaps(node) else { return [] }
    if range.lowerBound <= node.lowerBound, node.upperBound <= range.upperBound { return [node] }
    return subtrees(inside: range, below: left(node)) + subtrees(inside: range, below: right(node))
  }
}
