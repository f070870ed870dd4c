/// How the owner of a slice adds it up over the ranks of its host, in tree order.
///
/// Each rank holds the sums of its own subtrees in slots 0, 1, ... (`LocalSum`); together they make the
/// largest subtrees that lie inside the host's shards. Each of these is computed into the place of its
/// leftmost operand, so that no memory is needed beyond the slots; what lies between goes through small
/// buffers that stay in the cache.
package struct HostSum: Equatable, Sendable {
  /// A slot of a rank, by its number on the host.
  package struct Place: Hashable, Sendable {
    package var rank: Int
    package var slot: Int

    package init(rank: Int, slot: Int) {
      self.rank = rank
      self.slot = slot
    }
  }

  package enum Operand: Equatable, Sendable {
    case place(Place)
    /// A buffer of one chunk's length.
    case buffer(Int)
  }

  /// `target = left + right`, element by element.
  package struct Addition: Equatable, Sendable {
    package var left: Operand
    package var right: Operand
    package var target: Operand

    package init(left: Operand, right: Operand, target: Operand) {
      self.left = left
      self.right = right
      self.target = target
    }
  }

  /// The host's subtrees from left to right, and where their sums lie at the end.
  package private(set) var subtrees: [Range<Int>]
  package private(set) var places: [Place] = []
  /// In order, for each chunk of elements.
  package private(set) var additions: [Addition] = []
  package private(set) var bufferCount = 0

  /// - Parameter host: The number of the host.
  package init(_ layout: HostLayout, host: Int) {
    subtrees = SummationTree.subtrees(inside: layout.shards(ofHost: host), shards: layout.shards)
    var operands: [Range<Int>: Place] = [:]
    for (local, rank) in layout.hosts[host].enumerated() {
      let own = SummationTree.subtrees(inside: layout.shards(ofRank: rank), shards: layout.shards)
      for (slot, subtree) in own.enumerated() {
        operands[subtree] = Place(rank: local, slot: slot)
      }
    }
    for subtree in subtrees {
      let place = leftmost(of: subtree, operands)
      places.append(place)
      append(subtree, target: .place(place), depth: 0, operands)
    }
  }

  private func leftmost(of node: Range<Int>, _ operands: [Range<Int>: Place]) -> Place {
    operands[node] ?? leftmost(of: SummationTree.left(node), operands)
  }

  /// The additions that leave `node`'s sum in `target`, or where it lies already.
  @discardableResult
  private mutating func append(
    _ node: Range<Int>, target: Operand, depth: Int, _ operands: [Range<Int>: Place]
  ) -> Operand {
    if let place = operands[node] { return .place(place) }
    // The left half may use the target: its sum is read when the target is written.
    let left = append(
      SummationTree.left(node), target: target.isBuffer ? target : .buffer(depth), depth: depth + 1,
      operands)
    let right = append(
      SummationTree.right(node), target: .buffer(depth + 1), depth: depth + 2, operands)
    additions.append(Addition(left: left, right: right, target: target))
    for case .buffer(let index) in [left, right, target] {
      bufferCount = max(bufferCount, index + 1)
    }
    return target
  }
}

extension HostSum.Operand {
  fileprivate var isBuffer: Bool { if case .buffer = self { true } else { false } }
}
