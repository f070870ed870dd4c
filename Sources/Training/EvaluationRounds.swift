/// Cuts an evaluation's forward passes into rounds of about a tenth of a second, the same on every rank.
///
/// The first round is a single pass, whose duration sets the pace of the others.
package struct EvaluationRounds {
  private let passes: Int
  private var passesPerRound: Int
  private var end = 0

  /// - Parameters:
  ///   - passes: Of the rank that has most.
  ///   - arePaused: Whether there is more than one round.
  package init(passes: Int, arePaused: Bool) {
    self.passes = passes
    passesPerRound = arePaused ? 1 : max(passes, 1)
  }

  /// The passes of the next round; nil after the last.
  package mutating func next() -> Range<Int>? {
    guard end < passes else { return nil }
    let start = end
    end = min(start + passesPerRound, passes)
    return start..<end
  }

  /// Whether the round in hand is the first or the last one.
  package var isFirst: Bool { end == 1 }
  package var isLast: Bool { end >= passes }

  /// - Parameter pass: What one pass takes on the slowest rank.
  package mutating func setPace(_ pass: Duration) {
    passesPerRound = max(1, Int(min(Duration.milliseconds(100) / max(pass, .microseconds(1)), 1e6)))
  }
}
