// R ranks; busy(r) = compute + data + checkpoint + other: what rank r did without waiting for anybody.

/// Where the time of all ranks went over the same stretch of a run, by rank.
package struct RankTimes: Equatable, Sendable {
  package private(set) var splits: [TimeSplit]

  package init(_ splits: [TimeSplit]) {
    precondition(!splits.isEmpty, "the times of no rank")
    self.splits = splits
  }

  /// The rank that had most to do, and what the others paid for it.
  package struct Slowest: Equatable, Sendable {
    package var rank: Int
    /// By how much it was busier than the mean of the others: 0.12 is 12%.
    package var excess: Double
    /// The mean over the other ranks of the time they waited.
    package var waiting: Duration
    /// Where most of its excess lies.
    package var phase: Phase
  }

  /// The others' waits that the busiest rank explains, so far counted as communication.
  ///
  /// A step ends for all ranks at once, so a rank that has less to do waits for the busiest one. What is
  /// already known as waiting counts towards the difference:
  /// `moved(r) = min(communication(r), max(0, max busy - busy(r) - waiting(r)))`.
  package func explainedWaits() -> [Duration] {
    let most = splits.map(\.busy).max() ?? .zero
    return splits.map { split in
      min(split.communication, max(.zero, most - split.busy - split.waiting))
    }
  }

  /// Counts `waits` (by rank) as waiting for a slower rank.
  package mutating func count(asWaiting waits: [Duration]) {
    for (rank, wait) in zip(splits.indices, waits) {
      splits[rank].communication -= wait
      splits[rank].waiting += wait
    }
  }

  /// Nil with one rank, or when nobody did anything.
  package var slowest: Slowest? {
    let busy = splits.map(\.busy)
    guard splits.count > 1, let most = busy.max(), let rank = busy.firstIndex(of: most) else {
      return nil
    }
    let others = splits.indices.filter { $0 != rank }
    func mean(_ time: (TimeSplit) -> Duration) -> Duration {
      others.reduce(.zero) { $0 + time(splits[$1]) } / others.count
    }
    guard mean(\.busy) > .zero else { return nil }
    let excesses = Phase.busy.map { phase in splits[rank][phase] - mean { $0[phase] } }
    let largest = excesses.indices.max { excesses[$0] < excesses[$1] } ?? 0
    return Slowest(
      rank: rank, excess: most / mean(\.busy) - 1, waiting: mean(\.waiting),
      phase: Phase.busy[largest])
  }

  /// All ranks over both stretches.
  package static func += (times: inout RankTimes, more: RankTimes) {
    precondition(times.splits.count == more.splits.count, "times of other ranks")
    for rank in times.splits.indices { times.splits[rank] += more.splits[rank] }
  }
}

extension Phase {
  /// What a rank does without waiting for others.
  static let busy: [Phase] = [.compute, .data, .checkpoint, .other]
}

extension TimeSplit {
  /// The time without waits for other ranks.
  package var busy: Duration { Phase.busy.reduce(.zero) { $0 + self[$1] } }
}
