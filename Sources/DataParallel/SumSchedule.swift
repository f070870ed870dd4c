/// What one rank does, after its local sum, so that every rank gets the sum over all shards.
///
/// Ranks combine their subtrees in tree order until `root` holds the whole sum in slot 0; from there it
/// goes to all along a binomial tree. A node that spans several ranks is added up on `root` if `root` owns
/// one of its shards, else on the rank of its first shard.
package struct SumSchedule: Equatable, Sendable {
  package enum Step: Equatable, Sendable {
    /// Waits for received message `request` and adds its slot into another.
    case addReceived(request: Int, slot: Int, into: Int)
    case add(slot: Int, into: Int)
    case send(slot: Int, to: Int, request: Int)
    /// Replaces slot 0 by the sum over all shards.
    case receiveSum(from: Int, request: Int)
    case wait(request: Int)
  }

  /// A message that is awaited from the start, request k for the k-th.
  package struct Receive: Equatable, Sendable {
    package var rank: Int
    package var slot: Int
  }

  package private(set) var receives: [Receive] = []
  package private(set) var steps: [Step] = []
  package private(set) var requestCount = 0
  private let rank: Int

  /// - Precondition: `ranks <= shards`.
  package init(rank: Int, ranks: Int, shards: Int, root: Int) {
    self.rank = rank
    var combination = Combination(ranks: ranks, shards: shards, root: root)
    combination.visit(0..<shards)
    for addition in combination.additions { countReceive(addition) }
    for addition in combination.additions { append(addition) }
    appendBroadcast(ranks: ranks, root: root)
  }

  /// The slots that hold subtrees or messages, from 0.
  package var slotCount: Int { (receives.map(\.slot).max() ?? -1) + 1 }

  private mutating func countReceive(_ addition: Combination.Addition) {
    guard addition.target.rank == rank, addition.source.rank != rank else { return }
    let slot = addition.targetSubtrees + receives.count
    receives.append(Receive(rank: addition.source.rank, slot: slot))
    requestCount += 1
  }

  private mutating func append(_ addition: Combination.Addition) {
    let (source, target) = (addition.source, addition.target)
    switch (source.rank == rank, target.rank == rank) {
    case (true, true): steps.append(.add(slot: source.slot, into: target.slot))
    case (true, false): appendSend(slot: source.slot, to: target.rank)
    case (false, true):
      let request = steps.count { if case .addReceived = $0 { true } else { false } }
      let received = receives[request].slot
      steps.append(.addReceived(request: request, slot: received, into: target.slot))
    case (false, false): break
    }
  }

  private mutating func appendSend(slot: Int, to other: Int) {
    steps.append(.send(slot: slot, to: other, request: requestCount))
    requestCount += 1
  }

  /// Counted from the root, rank v gets the sum from v without its lowest one bit.
  private mutating func appendBroadcast(ranks: Int, root: Int) {
    let place = (rank - root + ranks) % ranks
    func member(at place: Int) -> Int { (place + root) % ranks }
    if place > 0 {
      // Slot 0 may still be on its way out.
      appendWaitsForSends()
      steps.append(.receiveSum(from: member(at: place & (place - 1)), request: requestCount))
      requestCount += 1
    }
    let lowestBit = place > 0 ? place & -place : ranks.nextPowerOfTwo
    var distance = lowestBit / 2
    while distance > 0 {
      if place + distance < ranks { appendSend(slot: 0, to: member(at: place + distance)) }
      distance /= 2
    }
    appendWaitsForSends()
  }

  private mutating func appendWaitsForSends() {
    let waited = steps.compactMap { if case .wait(let request) = $0 { request } else { nil } }
    for case .send(_, _, let request) in steps where !waited.contains(request) {
      steps.append(.wait(request: request))
    }
  }
}

/// The additions between ranks in tree order, and where each value lies: the same on every rank.
private struct Combination {
  struct Value {
    var rank: Int
    var slot: Int
  }

  struct Addition {
    var source: Value
    var target: Value
    /// How many subtrees the target's rank holds; its slots behind them are free.
    var targetSubtrees: Int
  }

  let root: Int
  let local: [LocalSum]
  private(set) var additions: [Addition] = []

  init(ranks: Int, shards: Int, root: Int) {
    self.root = root
    local = (0..<ranks).map {
      LocalSum(shards: ShardRange.shards(ofRank: $0, of: ranks, shards: shards), of: shards)
    }
  }

  @discardableResult
  mutating func visit(_ node: Range<Int>) -> Value {
    for (rank, sum) in local.enumerated() {
      if let slot = sum.subtrees.firstIndex(of: node) { return Value(rank: rank, slot: slot) }
    }
    let left = visit(SummationTree.left(node))
    let right = visit(SummationTree.right(node))
    let keepsRight = right.rank == root && left.rank != root
    let (target, source) = keepsRight ? (right, left) : (left, right)
    additions.append(
      Addition(
        source: source, target: target, targetSubtrees: local[target.rank].subtrees.count))
    return target
  }
}

extension Int {
  /// The smallest power of two that is not smaller than a positive number.
  fileprivate var nextPowerOfTwo: Int {
    1 << (Int.bitWidth - (self - 1).leadingZeroBitCount)
  }
}
