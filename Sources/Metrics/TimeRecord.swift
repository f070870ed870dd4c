/// Where the time of an epoch went, by rank.
package struct TimeRecord: Equatable, MetricsRecord {
  package static let kind = "time"

  package var step: Int
  /// Epochs finished; counts from 1.
  package var epoch: Int
  package var times: RankTimes

  package init(step: Int, epoch: Int, times: RankTimes) {
    self.step = step
    self.epoch = epoch
    self.times = times
  }

  package var jsonText: String {
    var line = JSONLine()
    line.append("kind", Self.kind)
    line.append("step", step)
    line.append("epoch", epoch)
    for phase in Phase.allCases {
      line.append("\(phase.name)_seconds", times.splits.map { $0[phase].seconds })
    }
    if let slowest = times.slowest { line.append("slowest_rank", slowest.rank) }
    return line.text
  }
}
