import Collectives
import Storage

// B blocks of parameters whose squares are summed as one.

/// What the ranks of a host tell each other during the update of a step: how far they are, and the sums of
/// squares that each of them has formed.
///
/// A rank writes only its own word and the entries of its own blocks. Words count up over the whole run, so
/// that none is ever set back, and what a rank did before it published a word is seen by whoever has read it.
/// Entries of a step are overwritten in the next step after its sum, to which every rank came only when it had
/// read them; so the sum is the barrier between steps, and none other is needed.
package final class UpdateBoard {
  package enum Turn: Int, CaseIterable, Sendable {
    /// The sums of squares of this rank's part of the gradient are there; it reads the rest of the gradient no more.
    case measured
    /// What LARS and LAMB need of this rank's part is there.
    case prepared
    /// This rank's new weights lie where the sum of their gradients was.
    case updated
  }

  /// Those that share the board.
  package let ranks: Int
  /// This rank among them.
  package let rank: Int
  /// The sum of the squares of each block of the gradient, `[B]`.
  package var squares: Block<Double> { numbers.parts[0] }
  /// The time this rank waited for others.
  package private(set) var waiting = Duration.zero

  private let numbers: SharedMemory<Double>
  private let memory: SharedMemory<UInt64>
  private let words: [AtomicWords]
  private let group: (any Collectives)?

  /// The board of a rank that updates everything by itself.
  package init(alone blocks: Int) {
    (rank, ranks, group) = (0, 1, nil)
    numbers = SharedMemory(alone: blocks)
    memory = SharedMemory(alone: Self.wordElements)
    words = memory.parts.map { AtomicWords($0) }
  }

  /// The board of the ranks of a host; all ranks make theirs together.
  ///
  /// - Returns: nil on all ranks when a host has no room for it.
  package init?(blocks: Int, over group: any Collectives) throws(CollectivesError) {
    let count = group.localRank == 0 ? blocks : 0
    guard let numbers = try group.shareMemory(Double.self, count: count),
      let memory = try group.shareMemory(UInt64.self, count: Self.wordElements)
    else { return nil }
    (rank, ranks) = (group.localRank, group.localRanks)
    self.group = group
    self.numbers = numbers
    self.memory = memory
    words = memory.parts.map { AtomicWords($0) }
  }

  /// Says that this rank has come to `turn` of step `step`.
  ///
  /// - Parameter step: Steps of this process, from 1.
  package func publish(_ turn: Turn, step: Int) {
    words[rank].publish(UInt64(step), at: turn.rawValue)
  }

  /// Returns when `other` has come to `turn` of step `step`; what it did before is seen.
  package func wait(for turn: Turn, of other: Int, step: Int) {
    guard words[other].read(turn.rawValue) < UInt64(step) else { return }
    let start = ContinuousClock.now
    var attempt = 0
    while words[other].read(turn.rawValue) < UInt64(step) {
      group?.pause(attempt: attempt)
      attempt += 1
    }
    waiting += ContinuousClock.now - start
  }

  /// Publishes and returns when all have come to the same turn.
  package func meet(at turn: Turn, step: Int) {
    publish(turn, step: step)
    for other in 0..<ranks { wait(for: turn, of: other, step: step) }
  }

  private static var wordElements: Int { Turn.allCases.count * AtomicWords.stride }
}
