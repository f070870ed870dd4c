import Collectives
import Metrics

/// The last line of a job that hung: who is late and since when, and what the others wait for.
///
/// ```text
/// hang: rank 1 of 3 (node7), pid 4711, is stopped in step 20, data, for 301 s; ranks 0 and 2 wait in step 20, \
/// compute, wait-sum bucket 0 (failure.hang_timeout_seconds is 300)
/// ```
package struct HangSentence {
  package var hosts: [String]
  package var timeout: Duration
  /// Names of the plan's instructions.
  package var instructions: [String] = []
  private let observer: HangObserver

  package init(
    hosts: [String], timeout: Duration, instructions: [String], observer: HangObserver
  ) {
    self.hosts = hosts
    self.timeout = timeout
    self.instructions = instructions
    self.observer = observer
  }

  private var progress: [RankProgress?] { observer.newest }
  private var silences: [HangObserver.Silence] { observer.silences }

  /// - Parameter isStopped: Whether the system holds a process of this host stopped.
  package func text(
    _ finding: HangObserver.Finding, isStopped: (Int32) -> Bool
  ) -> String {
    switch finding {
    case .late(let ranks): line(late(ranks, isStopped: isStopped))
    case .circle:
      line(
        "every rank waits, and none has worked for \(seconds(longestIdle)): "
          + waiting(Array(hosts.indices)))
    }
  }

  /// For a host of which nothing was heard.
  package func text(silentHost host: String, for duration: Duration) -> String {
    let gone = hosts.indices.filter { hosts[$0] == host }
    let places = described(gone) { "were last seen in \($0)" }
    let others = waiting(hosts.indices.filter { hosts[$0] != host })
    let list = gone.count == 1 ? "rank \(gone[0])" : "ranks \(joined(gone))"
    let seen = places.isEmpty ? "" : "; \(places)"
    return line(
      "host \(host) (\(list)) has not answered for \(seconds(duration))\(seen); \(others)")
  }

  private func late(_ ranks: [Int], isStopped: (Int32) -> Bool) -> String {
    let stopped = ranks.filter { progress[$0].map { isStopped($0.pid) } ?? false }
    // What the system has stopped is the cause; others may merely wait in a way that does not show.
    let named = stopped.isEmpty ? ranks : stopped
    let sentences = named.compactMap { rank in
      progress[rank].map { seen in
        "\(RankIdentity(rank: rank, ranks: hosts.count, host: hosts[rank])), pid \(seen.pid), "
          + (stopped.contains(rank) ? "is stopped in " : "has not moved in ")
          + "\(seen.place(instructions)), for \(seconds(silences[rank].still))"
      }
    }
    let others = waiting(hosts.indices.filter { !named.contains($0) })
    return (sentences + (others.isEmpty ? [] : [others])).joined(separator: "; ")
  }

  private var longestIdle: Duration { silences.map(\.idle).min() ?? .zero }

  /// `ranks 0 and 2 wait in step 20, compute, wait-sum bucket 0; rank 3 is in step 20, data`.
  private func waiting(_ ranks: [Int]) -> String {
    let silent = ranks.filter { observer.isSilent($0, for: timeout / 2) }
    let heard = ranks.filter { !silent.contains($0) }
    return [
      described(heard.filter { silences[$0].idle >= timeout / 2 }) { "wait in \($0)" },
      described(heard.filter { silences[$0].idle < timeout / 2 }) { "are in \($0)" },
      described(silent) { "were last seen in \($0)" },
    ].filter { !$0.isEmpty }.joined(separator: "; ")
  }

  /// The ranks grouped by where they are.
  private func described(_ ranks: [Int], _ words: (String) -> String) -> String {
    var groups: [(place: String, ranks: [Int])] = []
    for rank in ranks {
      guard let place = progress[rank]?.place(instructions) else { continue }
      if let index = groups.firstIndex(where: { $0.place == place }) {
        groups[index].ranks.append(rank)
      } else {
        groups.append((place, [rank]))
      }
    }
    return groups.map { place, ranks in
      ranks.count == 1
        ? "rank \(ranks[0]) \(singular(words(place)))" : "ranks \(joined(ranks)) \(words(place))"
    }.joined(separator: "; ")
  }

  private func singular(_ text: String) -> String {
    if text.hasPrefix("wait in") { return "waits" + text.dropFirst(4) }
    if text.hasPrefix("are in") { return "is" + text.dropFirst(3) }
    if text.hasPrefix("were last") { return "was" + text.dropFirst(4) }
    return text
  }

  private func joined(_ ranks: [Int]) -> String {
    let words = ranks.map(String.init)
    guard words.count > 1 else { return words.joined() }
    return words.dropLast().joined(separator: ", ") + " and \(words[words.count - 1])"
  }

  private func line(_ text: String) -> String {
    "hang: \(text) (failure.hang_timeout_seconds is \(plainSeconds(timeout)))"
  }

  private func seconds(_ duration: Duration) -> String { "\(duration.components.seconds) s" }

  private func plainSeconds(_ duration: Duration) -> String {
    let number = Double(duration.wholeNanoseconds) / 1e9
    return number == number.rounded() ? "\(Int(number))" : "\(number)"
  }
}
