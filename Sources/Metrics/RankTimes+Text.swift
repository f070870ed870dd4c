extension RankTimes {
  /// Up to so many ranks have a column of their own.
  private static let mostColumns = 8

  /// One row per phase and one for the total: by rank, or least, mean and most of many ranks; then the
  /// share of the whole time.
  package var lines: [String] {
    if splits.count == 1 { return splits[0].lines }
    let columns = columns
    let alignments = [TextTable.Alignment.left] + columns.map { _ in .right } + [.right]
    var table = TextTable(alignments)
    table.append([""] + columns.map(\.title) + ["share"])
    let total = sum(\.total)
    for phase in Phase.allCases {
      let share = total == .zero ? 0 : sum { $0[phase] } / total
      table.append(
        [phase.name] + columns.map { secondsText($0.value { $0[phase] }) }
          + [percentText(share, digits: 1)])
    }
    table.append(
      ["total"] + columns.map { secondsText($0.value(\.total)) }
        + [percentText(total == .zero ? 0 : 1, digits: 1)])
    return table.lines
  }

  /// `rank 3 (node2) is 12% slower than the others: 4.1 s of waiting`; nil when that is not worth a line.
  ///
  /// - Parameters:
  ///   - hosts: By rank.
  ///   - shards: Micro-shards by rank: having more of them than others is a reason.
  package func slownessLine(hosts: [String], shards: [Int]) -> String? {
    guard let slowest, isWorthALine(slowest) else { return nil }
    let rank = slowest.rank
    let reason =
      slowest.phase == .compute
      ? shards[rank] > (shards.min() ?? 0)
        ? " (it has \(shards[rank]) of the \(shards.reduce(0, +)) micro-shards)" : ""
      : " (\(slowest.phase.name))"
    let excess = percentText(slowest.excess, digits: 0)
    return "rank \(rank) (\(hosts[rank])) is \(excess) slower than the others\(reason): "
      + "\(secondsText(slowest.waiting)) of waiting"
  }

  /// From 5% on, if the others waited for at least 2% of their time and a tenth of a second.
  private func isWorthALine(_ slowest: Slowest) -> Bool {
    slowest.excess >= 0.05 && slowest.waiting >= .milliseconds(100)
      && slowest.waiting >= splits[slowest.rank].total * 0.02
  }

  private struct Column {
    var title: String
    /// The time that this column shows of some part of every rank's time.
    var value: ((TimeSplit) -> Duration) -> Duration
  }

  private var columns: [Column] {
    if splits.count <= Self.mostColumns {
      return splits.indices.map { rank in Column(title: "rank \(rank)") { $0(splits[rank]) } }
    }
    return [
      Column(title: "least") { splits.map($0).min() ?? .zero },
      Column(title: "mean") { sum($0) / splits.count },
      Column(title: "most") { splits.map($0).max() ?? .zero },
    ]
  }

  private func sum(_ time: (TimeSplit) -> Duration) -> Duration {
    splits.reduce(.zero) { $0 + time($1) }
  }
}

/// `4.1 s`
func secondsText(_ duration: Duration) -> String {
  "\(fixedPoint(duration.seconds, digits: 1)) s"
}
