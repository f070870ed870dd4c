import Collectives
import Foundation
import Metrics
import Storage
import Synchronization

/// Turns a hang into a sentence: a thread of every process that looks at what the ranks of its host are
/// doing, and ends the job when one of them has shown no sign for too long.
///
/// The thread that works only writes where it is (`ProgressBoard`); this one looks a few times per timeout.
/// It also sees a rank that nobody waits for, and it runs where the working thread cannot.
package final class HangWatch: Sendable {
  /// What there is to look at.
  private enum Subject {
    /// Open MPI itself, in a call that only it can end.
    case call(String, for: Duration)
    case board(ProgressBoard, HangObserver, Relay?)
    case nothing
  }

  /// The parts of a `HostRelay` that another thread may touch.
  private struct Relay: Sendable {
    let hosts: [String]
    let silences: RelaxedWords
    let due: RelaxedWords
  }

  private struct Watched {
    var subject = Subject.nothing
    var hosts: [String] = []
    var instructions: [String] = []
    var byteCount = 0
    var sinceMessage = Duration.zero
  }

  private let timeout: Duration
  private let watched = Mutex(Watched())
  /// Lets one of several processes that see the same speak first.
  private let patience: Duration

  /// Begins to watch.
  ///
  /// - Parameters:
  ///   - timeout: How long a rank may show no sign; zero: for ever.
  ///   - launchRank: The rank as the launcher says, for the time before the ranks have met.
  package init(timeout: Duration, launchRank: Int = 0) {
    self.timeout = timeout
    patience = .milliseconds(300 * min(launchRank, 10))
    guard timeout > .zero else { return }
    detachThread { [self] in watch() }
  }

  /// Says that this process is in a call of Open MPI's that returns when all ranks have come to it.
  package func enterCall(_ name: String) {
    watched.withLock { $0.subject = .call(name, for: .zero) }
  }

  /// Sees nothing from now on.
  package func end() {
    watched.withLock { $0.subject = .nothing }
  }

  /// Watches the ranks of `group` from now on, over the board that they share; all ranks call this.
  package func join(_ group: any Collectives) throws(CollectivesError) -> WatchedRank {
    let board = try ProgressBoard(over: group)
    let relay = try HostRelay(board, over: group)
    let observer = HangObserver(
      timeout: timeout, localRanks: board.localRanks, ranks: group.ranks,
      host: group.hostNumbers[group.rank])
    let shared = relay.map { Relay(hosts: $0.hosts, silences: $0.silences, due: $0.due) }
    watched.withLock {
      $0.hosts = group.hosts
      $0.subject = .board(board, observer, shared)
    }
    board.enter(.start)
    return WatchedRank(self, board, relay, over: group)
  }

  /// What every rank did at the newest look, by rank; empty before the ranks have met.
  package var newest: [RankProgress?] {
    watched.withLock {
      guard case .board(_, let observer, _) = $0.subject else { return [] }
      return observer.newest
    }
  }

  /// What the plan's instructions are called.
  func setInstructions(_ names: [String]) {
    watched.withLock { $0.instructions = names }
  }

  static let exitCode: Int32 = 1

  // MARK: The thread

  private var interval: Duration {
    min(max(timeout / 16, .milliseconds(20)), .milliseconds(500))
  }

  private func watch() {
    var newest = SuspendingClock.now
    while true {
      Thread.sleep(forTimeInterval: Double(interval.wholeNanoseconds) / 1e9)
      let now = SuspendingClock.now
      // After a stop of the whole process all ranks deserve their time again.
      let elapsed = min(now - newest, interval * 4)
      newest = now
      look(elapsed)
    }
  }

  private func look(_ elapsed: Duration) {
    let verdict = watched.withLock { watched -> (text: String, board: ProgressBoard?)? in
      switch watched.subject {
      case .nothing: return nil
      case .call(let name, let duration):
        watched.subject = .call(name, for: duration + elapsed)
        guard duration + elapsed >= timeout + patience else { return nil }
        return (callSentence(name, for: duration + elapsed), nil)
      case .board(let board, var observer, let relay):
        noteFiles(on: board, &watched)
        observer.observe(board.read(), elapsed: elapsed)
        watched.subject = .board(board, observer, relay)
        if let relay { askForMessages(relay, elapsed, &watched) }
        return sentence(observer, relay, watched).map { ($0, board) }
      }
    }
    guard let verdict else { return }
    if let board = verdict.board {
      guard board.claimWord() else { return }
    }
    speak(verdict.text, board: verdict.board)
  }

  /// Outside of the steps reading and writing files counts as work.
  private func noteFiles(on board: ProgressBoard, _ watched: inout Watched) {
    guard board.worksOnFiles else { return }
    let byteCount = ProcessState.transferredByteCount
    // This thread itself reads a little.
    if byteCount - watched.byteCount > 4096 { board.beat() }
    watched.byteCount = byteCount
  }

  private func askForMessages(_ relay: Relay, _ elapsed: Duration, _ watched: inout Watched) {
    watched.sinceMessage += elapsed
    guard watched.sinceMessage >= min(timeout / 8, .seconds(1)) else { return }
    watched.sinceMessage = .zero
    relay.due.store(1, at: 0)
  }

  private func sentence(
    _ observer: HangObserver, _ relay: Relay?, _ watched: Watched
  ) -> String? {
    func words() -> HangSentence {
      HangSentence(
        hosts: watched.hosts, timeout: timeout, instructions: watched.instructions,
        observer: observer)
    }
    if let finding = observer.finding {
      return words().text(finding, isStopped: ProcessState.isStopped)
    }
    guard let relay else { return nil }
    for (index, host) in relay.hosts.enumerated() {
      let silence = Duration.milliseconds(Int64(relay.silences.load(index)))
      if silence >= (isAtStep(host, observer, watched) ? timeout : timeout * 4) + observer.grace {
        return words().text(silentHost: host, for: silence)
      }
    }
    return nil
  }

  /// Whether a host is in a step, where it says something all the time. Its news may be old: where this host waits
  /// in a step, only rank 0's may do something else, such as writing a checkpoint.
  private func isAtStep(_ host: String, _ observer: HangObserver, _ watched: Watched) -> Bool {
    func areInStep(_ host: String) -> Bool {
      observer.newest.indices.filter { watched.hosts[$0] == host }
        .allSatisfy { observer.newest[$0].map(\.isInStep) ?? false }
    }
    let own = watched.hosts[observer.localRanks[0]]
    return areInStep(host) || host != watched.hosts[0] && areInStep(own)
  }

  private func callSentence(_ name: String, for duration: Duration) -> String {
    "hang: \(name) has not returned for \(duration.components.seconds) s: some ranks did not come to it "
      + "(failure.hang_timeout_seconds is \(timeout.components.seconds))"
  }

  /// Whoever waits in the program sees it and ends the job through Open MPI; where nobody does, this
  /// process's end is the job's.
  private func speak(_ text: String, board: ProgressBoard?) -> Never {
    printError(text)
    board?.isOver = true
    Thread.sleep(forTimeInterval: 0.3)
    _exit(Self.exitCode)
  }
}
