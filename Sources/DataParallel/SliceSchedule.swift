// H hosts; n elements in a slice. "Pieces" are ranges of elements.

/// What the owners of one slice on all hosts exchange so that each gets the sum over all shards.
///
/// The tree's nodes that span hosts are computed from the leaves up. The sum of a node lies spread over its
/// hosts: each keeps a piece. To join two nodes, hosts whose pieces overlap send each other the part that the
/// other is to keep. With 2, 4, 8, ... equal hosts this is recursive halving: each host sends n/2, n/4, ...
/// elements; in general a host keeps pieces in proportion. `publish` runs the same exchanges backwards
/// (recursive doubling) with what has become of the sums.
///
/// At the tree's root two hosts send each other all of a small piece and both add, which is the same in bits: as many
/// bytes as half there and half back, and one latency instead of two.
///
/// Source: Thakur, Rabenseifner, Gropp 2005, "Optimization of Collective Communication Operations in MPICH",
/// section 4.5; here in the order of the tree and for any number of hosts.
package struct SliceSchedule: Equatable, Sendable {
  package enum Step: Equatable, Sendable {
    /// Starts to send a piece of a host subtree's sum.
    case send(subtree: Int, Range<Int>, to: Int, request: Int)
    /// Waits until sent message `request` has left, since its place is about to change.
    case awaitSent(request: Int)
    /// Waits for received message `request` and adds it to the sum of a host subtree.
    case addReceived(request: Int, subtree: Int, Range<Int>)
    /// Adds one host subtree's sum to another's.
    case add(subtree: Int, into: Int, Range<Int>)
  }

  package enum PublishStep: Equatable, Sendable {
    case send(Range<Int>, to: Int, request: Int)
    case awaitReceived(request: Int)
  }

  /// A message that is awaited from the start.
  package struct Receive: Equatable, Sendable {
    package var host: Int
    package var piece: Range<Int>
    package var request: Int
  }

  /// A piece whose whole sum this host has after `steps`, with the subtree in whose place it lies.
  package struct Kept: Equatable, Sendable {
    package var piece: Range<Int>
    package var subtree: Int
  }

  package private(set) var receives: [Receive] = []
  package private(set) var steps: [Step] = []
  package private(set) var kept: [Kept] = []
  /// The pieces of all hosts, from the first element to the last; every published range is some of them.
  package private(set) var finished: [Range<Int>] = []
  package private(set) var publishReceives: [Receive] = []
  package private(set) var publishSteps: [PublishStep] = []
  package private(set) var requestCount = 0

  /// - Parameters:
  ///   - elements: The slice.
  ///   - isRounded: Whether numbers lose bits on their way. Then one host alone forms each sum, so that all get
  ///     the same.
  package init(
    _ layout: HostLayout, host: Int, slice: Int, elements: Range<Int>, isRounded: Bool = false
  ) {
    let sum = SpreadSum(
      layout, elements: elements, parity: slice, formsRootTwice: !isRounded)
    self.init(sum, host: host)
  }

  /// The schedules of all hosts, by host; the joins are found once.
  package static func onAllHosts(
    _ layout: HostLayout, slice: Int, elements: Range<Int>
  ) -> [SliceSchedule] {
    let sum = SpreadSum(layout, elements: elements, parity: slice, formsRootTwice: true)
    return layout.hosts.indices.map { SliceSchedule(sum, host: $0) }
  }

  private init(_ sum: SpreadSum, host: Int) {
    finished = sum.spread.map(\.piece).sorted { $0.lowerBound < $1.lowerBound }
    kept = sum.spread.filter { $0.host == host }.map { Kept(piece: $0.piece, subtree: $0.subtree) }
    for join in sum.joins { append(join, host) }
    for join in sum.joins.reversed() { appendPublication(join, host) }
  }

  private mutating func append(_ join: SpreadSum.Join, _ host: Int) {
    let (left, right) = (join.left, join.right)
    guard left.host == host || right.host == host else { return }
    if left.host == right.host {
      steps.append(.add(subtree: right.subtree, into: left.subtree, join.keptLeft))
      return
    }
    let (own, other) = left.host == host ? (left, right) : (right, left)
    let (keep, give) =
      left.host == host ? (join.keptLeft, join.keptRight) : (join.keptRight, join.keptLeft)
    if !give.isEmpty {
      steps.append(.send(subtree: own.subtree, give, to: other.host, request: nextRequest()))
    }
    if join.isFormedTwice { steps.append(.awaitSent(request: requestCount - 1)) }
    if !keep.isEmpty {
      let receive = Receive(host: other.host, piece: keep, request: nextRequest())
      receives.append(receive)
      steps.append(.addReceived(request: receive.request, subtree: own.subtree, keep))
    }
  }

  private mutating func appendPublication(_ join: SpreadSum.Join, _ host: Int) {
    let (left, right) = (join.left.host, join.right.host)
    guard left == host || right == host, left != right, !join.isFormedTwice else { return }
    let other = left == host ? right : left
    let (keep, gave) =
      left == host ? (join.keptLeft, join.keptRight) : (join.keptRight, join.keptLeft)
    if !keep.isEmpty {
      publishSteps.append(.send(keep, to: other, request: nextRequest()))
    }
    if !gave.isEmpty {
      let receive = Receive(host: other, piece: gave, request: nextRequest())
      publishReceives.append(receive)
      publishSteps.append(.awaitReceived(request: receive.request))
    }
  }

  private mutating func nextRequest() -> Int {
    requestCount += 1
    return requestCount - 1
  }
}

/// The joins of a slice over all hosts, in an order that all hosts share.
private struct SpreadSum {
  /// A piece of a node's sum and where it lies.
  struct Piece {
    var piece: Range<Int>
    var host: Int
    var subtree: Int
  }

  /// Two pieces over the same elements that become one sum: the left host keeps the first part of it, or
  /// both keep all of it.
  struct Join {
    var left: Piece
    var right: Piece
    var keptLeft: Range<Int>
    var keptRight: Range<Int>

    var isFormedTwice: Bool { keptLeft == keptRight }
  }

  private(set) var joins: [Join] = []
  /// Where the pieces of the whole sum lie at the end.
  private(set) var spread: [Piece] = []
  private let subtrees: [[Range<Int>]]
  private let elements: Range<Int>
  private let parity: Int
  /// Whether both hosts keep what the tree's root joins.
  private let formsRootTwice: Bool

  init(_ layout: HostLayout, elements: Range<Int>, parity: Int, formsRootTwice: Bool) {
    self.formsRootTwice = formsRootTwice
    subtrees = layout.hosts.indices.map {
      SummationTree.subtrees(inside: layout.shards(ofHost: $0), shards: layout.shards)
    }
    self.elements = elements
    self.parity = parity
    if !elements.isEmpty { spread = visit(0..<layout.shards, isRoot: true) }
  }

  /// How a node's sum lies spread over its hosts, from the first element to the last.
  private mutating func visit(_ node: Range<Int>, isRoot: Bool = false) -> [Piece] {
    for (host, list) in subtrees.enumerated() {
      if let subtree = list.firstIndex(of: node) {
        return [Piece(piece: elements, host: host, subtree: subtree)]
      }
    }
    let left = visit(SummationTree.left(node))
    let right = visit(SummationTree.right(node))
    let hosts = (left: Set(left.map(\.host)).count, right: Set(right.map(\.host)).count)
    var spread: [Piece] = []
    for a in left {
      for b in right where a.piece.overlaps(b.piece) {
        let piece = a.piece.clamped(to: b.piece)
        if isRoot && formsRootTwice && a.host != b.host && piece.count <= Self.largestFormedTwice {
          spread += append(a, b, keptLeft: piece, keptRight: piece)
        } else {
          let cut =
            a.host == b.host
            ? piece.upperBound : cut(piece, left: hosts.left, right: hosts.right)
          spread += append(
            a, b, keptLeft: piece.lowerBound..<cut, keptRight: cut..<piece.upperBound)
        }
      }
    }
    return spread
  }

  private mutating func append(
    _ left: Piece, _ right: Piece, keptLeft: Range<Int>, keptRight: Range<Int>
  ) -> [Piece] {
    joins.append(Join(left: left, right: right, keptLeft: keptLeft, keptRight: keptRight))
    return [
      Piece(piece: keptLeft, host: left.host, subtree: left.subtree),
      Piece(piece: keptRight, host: right.host, subtree: right.subtree),
    ].filter { !$0.piece.isEmpty }
  }

  /// Where to cut between the hosts of the left and of the right node; small pieces go to one of them as a
  /// whole, in turn.
  private func cut(_ piece: Range<Int>, left: Int, right: Int) -> Int {
    guard piece.count >= 2 * Self.smallestPiece else {
      return (joins.count + parity) % 2 == 0 ? piece.upperBound : piece.lowerBound
    }
    let line = HostLayout.lineElements
    return piece.lowerBound + piece.count * left / (left + right) / line * line
  }

  /// Elements (512 KiB) beyond which a latency costs less than to add half a piece more.
  private static let largestFormedTwice = 1 << 17
  /// Elements below which a message costs its latency and little else.
  private static let smallestPiece = 256
}
