import DataParallel

/// A sum that remembers its brackets, written from left to right whoever added the halves.
struct Expression: Equatable {
  var shards: Range<Int>
  var text: String

  static func leaf(_ shard: Int) -> Expression {
    Expression(shards: shard..<shard + 1, text: "g\(shard)")
  }

  static func tree(_ node: Range<Int>) -> Expression {
    guard node.count > 1 else { return leaf(node.lowerBound) }
    return tree(SummationTree.left(node)) + tree(SummationTree.right(node))
  }

  static func + (a: Expression, b: Expression) -> Expression {
    let (left, right) = a.shards.lowerBound < b.shards.lowerBound ? (a, b) : (b, a)
    precondition(
      left.shards.upperBound == right.shards.lowerBound, "\(left.text) and \(right.text)")
    return Expression(
      shards: left.shards.lowerBound..<right.shards.upperBound,
      text: "(\(left.text)+\(right.text))")
  }
}
