import DataParallel
import Testing

@Suite("Summation tree")
struct SummationTreeTests {
  @Test(
    "the tree is fixed by the number of shards",
    arguments: [
      (1, "g0"), (2, "(g0+g1)"), (3, "((g0+g1)+g2)"), (4, "((g0+g1)+(g2+g3))"),
      (5, "(((g0+g1)+(g2+g3))+g4)"), (6, "(((g0+g1)+(g2+g3))+(g4+g5))"),
      (7, "(((g0+g1)+(g2+g3))+((g4+g5)+g6))"),
      (8, "(((g0+g1)+(g2+g3))+((g4+g5)+(g6+g7)))"),
    ])
  func text(shards: Int, expected: String) {
    #expect(Expression.tree(0..<shards).text == expected)
  }

  @Test("the subtrees inside a range cover it, and none could be larger", arguments: 1...16)
  func subtrees(shards: Int) {
    for start in 0..<shards {
      for end in start + 1...shards {
        let subtrees = SummationTree.subtrees(inside: start..<end, shards: shards)
        #expect(subtrees.flatMap(Array.init) == Array(start..<end))
        let nodes = Self.nodes(0..<shards).filter { start <= $0.lowerBound && $0.upperBound <= end }
        #expect(subtrees.allSatisfy { subtree in nodes.filter { $0.contains(subtree) }.count == 1 })
      }
    }
  }

  @Test("three of eight ranks hold several subtrees")
  func example() {
    #expect(SummationTree.subtrees(inside: 2..<5, shards: 8) == [2..<4, 4..<5])
    #expect(SummationTree.subtrees(inside: 1..<8, shards: 8) == [1..<2, 2..<4, 4..<8])
  }

  static func nodes(_ node: Range<Int>) -> [Range<Int>] {
    guard node.count > 1 else { return [node] }
    return [node] + nodes(SummationTree.left(node)) + nodes(SummationTree.right(node))
  }
}
