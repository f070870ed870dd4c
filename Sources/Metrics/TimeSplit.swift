/// Where the time of a run went; the parts add up to its wall time.
package struct TimeSplit: Equatable, Sendable {
  package var compute = Duration.zero
  package var communication = Duration.zero
  package var waiting = Duration.zero
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
      case .communication: communication
      case .waiting: waiting
      case .data: data
      case .checkpoint: checkpoint
      case .evaluation: evaluation
      case .other: other
      }
    }
    set {
      switch phase {
      case .compute: compute = newValue
      case .communication: communication = newValue
      case .waiting: waiting = newValue
      case .data: data = newValue
      case .checkpoint: checkpoint = newValue
      case .evaluation: evaluation = newValue
      case .other: other = newValue
      }
    }
  }

  package static func - (end: TimeSplit, start: TimeSplit) -> TimeSplit {
    var split = TimeSplit()
    for phase in Phase.allCases { split[phase] = end[phase] - start[phase] }
    return split
  }

  package static func += (split: inout TimeSplit, more: TimeSplit) {
    for phase in Phase.allCases { split[phase] += more[phase] }
  }

  /// One row per phase with its share of the total, then the total.
  package var lines: [String] {
    var table = TextTable([.left, .right, .right])
    for phase in Phase.allCases {
      let share = total == .zero ? 0 : self[phase] / total
      table.append([phase.name, secondsText(self[phase]), percentText(share, digits: 1)])
    }
    table.append(["total", secondsText(total), percentText(total == .zero ? 0 : 1, digits: 1)])
    return table.lines
  }
}
