import Collectives
import Metrics
import Storage

/// Follows where the time of all ranks goes, epoch by epoch.
package final class TimeLedger {
  private let activity: RankActivity
  private let collectives: any Collectives
  /// This rank's time up to the last entry.
  private var entered: TimeSplit

  package init(_ activity: RankActivity, over collectives: any Collectives) {
    self.activity = activity
    self.collectives = collectives
    entered = TimeSplit()
  }

  /// Begins an epoch; what went before is part of the run only.
  package func open() { entered = activity.split() }

  /// Ends a stretch that began with `open` or the `close` before; all ranks call it.
  ///
  /// - Returns: The time of the stretch by rank, with waits told from communication.
  package func close() throws(CollectivesError) -> RankTimes {
    let now = activity.split()
    var times = try gather(now - entered)
    let waits = times.explainedWaits()
    times.count(asWaiting: waits)
    activity.move(waits[collectives.rank], from: .communication, to: .waiting)
    entered += times.splits[collectives.rank]
    return times
  }

  /// The time of the run by rank, up to now; all ranks call it.
  package func closeTotal() throws(CollectivesError) -> RankTimes {
    _ = try close()
    return try gather(entered)
  }

  private func gather(_ own: TimeSplit) throws(CollectivesError) -> RankTimes {
    let words = AlignedMemory(copying: Phase.allCases.map { own[$0].wholeNanoseconds })
    let bytes = words.withBlock { $0.bytes.array }
    let previous = activity.begin(.communication)
    defer { activity.begin(previous) }
    let all = try collectives.allGather(bytes)
    return RankTimes(all.map(Self.split))
  }

  private static func split(_ bytes: [UInt8]) -> TimeSplit {
    var split = TimeSplit()
    AlignedMemory(copying: bytes).withBlock { words in
      for (index, phase) in Phase.allCases.enumerated() {
        split[phase] = .nanoseconds(words.load(Int64.self, at: index * MemoryLayout<Int64>.stride))
      }
    }
    return split
  }
}
