import Metrics

/// Decides from repeated looks at the ranks' progress whether the job hangs, and through whom.
///
/// Time is what passed between two looks, never a clock of another process; a look that came much too late
/// (the whole job was stopped for a while) counts as little time.
package struct HangObserver {
  /// For how long a rank has shown no sign.
  package struct Silence: Equatable, Sendable {
    /// Neither work nor waiting.
    package var still = Duration.zero
    /// No work; perhaps waiting.
    package var idle = Duration.zero
  }

  package enum Finding: Equatable, Sendable {
    /// These ranks neither work nor wait.
    case late([Int])
    /// All ranks wait, and nobody works.
    case circle
  }

  package let timeout: Duration
  /// How much longer than a late rank a circle or a silent host takes to be found: the late rank's own host
  /// speaks first, after which the launcher takes a second or two to end the others.
  package let grace: Duration
  package private(set) var silences: [Silence]
  package private(set) var newest: [RankProgress?]
  let localRanks: [Int]

  /// - Parameter host: The number of this host.
  package init(timeout: Duration, localRanks: [Int], ranks: Int, host: Int = 0) {
    self.timeout = timeout
    grace = .milliseconds(2500 + 300 * min(host, 10))
    self.localRanks = localRanks
    silences = Array(repeating: Silence(), count: ranks)
    newest = Array(repeating: nil, count: ranks)
  }

  /// Takes in one look.
  ///
  /// - Parameter elapsed: The time since the look before.
  package mutating func observe(_ progress: [RankProgress?], elapsed: Duration) {
    for rank in progress.indices {
      let (before, now) = (newest[rank], progress[rank])
      silences[rank].still += elapsed
      silences[rank].idle += elapsed
      if before?.waits != now?.waits { silences[rank].still = .zero }
      if before?.beats != now?.beats || before?.pid != now?.pid { silences[rank] = Silence() }
      newest[rank] = now
    }
  }

  /// What is to be said now; nil while nothing is wrong.
  ///
  /// Only ranks of this host are found late: the others' hosts do that.
  package var finding: Finding? {
    let late = localRanks.filter { isSilent($0, for: timeout) }
    if !late.isEmpty { return .late(late) }
    let isCircle = newest.indices.allSatisfy {
      newest[$0] != nil && silences[$0].idle >= timeout + grace && !isSilent($0, for: timeout)
    }
    return isCircle ? .circle : nil
  }

  /// Whether a rank has neither worked nor waited for so long; at the very end it waits inside Open MPI and
  /// cannot show it.
  package func isSilent(_ rank: Int, for duration: Duration) -> Bool {
    silences[rank].still >= duration && newest[rank].map { $0.stage != .end } ?? false
  }
}
