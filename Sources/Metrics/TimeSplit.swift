/// What a rank is doing; every moment of a run belongs to exactly one phase.
package enum Phase: String, CaseIterable, Sendable {
  /// Forward, backward and update.
  case compute
  /// Waiting for the sums of gradients.
  case sums
  /// Waiting for the next batch.
  case data
  case checkpoint
  case evaluation
  /// Start, reports and everything else.
  case other

  package var title: String {
    self == .sums ? "waiting for sums" : rawValue
  }
}

/// Where the time of a run went; the parts add up to its wall time.
package struct TimeSplit: Equatable, Sendable {
  package var compute = Duration.zero
  package var sums = Duration.zero
  package var data = Duration.zero
  package var checkpoint = Duration.zero
  package var evaluation = Duration.zero
  package var other = Duration.zero

  package init() {}

  package var total: Duration {
    Phase.allCases.reduce(.zero) { $0 + self[$1] }
  }

  package subscript(phase: Phase) -> Duration {
    get {
      switch phase {
      case .compute: compute
      case .sums: sums
      case .data: data
      case .checkpoint: checkpoint
      case .evaluation: evaluation
      case .other: other
      }
    }
    set {
      switch phase {
      case .compute: compute = newValue
      case .sums: sums = newValue
      case .data: data = newValue
      case .checkpoint: checkpoint = newValue
      case .evaluation: evaluation = newValue
      case .other: other = newValue
      }
    }
  }

  package static func += (split: inout TimeSplit, more: TimeSplit) {
    for phase in Phase.allCases { split[phase] += more[phase] }
  }

  /// One row per phase with its share of the total, then the total.
  package var lines: [String] {
    var table = TextTable([.left, .right, .right])
    for phase in Phase.allCases {
      let share = total == .zero ? 0 : self[phase] / total
      table.append([phase.title, secondsText(self[phase]), percentText(share, digits: 1)])
    }
    table.append(["total", secondsText(total), percentText(total == .zero ? 0 : 1, digits: 1)])
    return table.lines
  }

  private func secondsText(_ duration: Duration) -> String {
    "\(fixedPoint(duration.seconds, digits: 1)) s"
  }
}
