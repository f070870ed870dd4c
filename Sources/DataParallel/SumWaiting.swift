/// The time a rank spent on sums over the ranks and could not compute.
package struct SumWaiting: Equatable, Sendable {
  /// Other ranks had not yet come to where their share was needed.
  package var late = Duration.zero
  /// Everything else: data on their way, and adding them up.
  package var communication = Duration.zero

  package init(late: Duration = .zero, communication: Duration = .zero) {
    self.late = late
    self.communication = communication
  }

  package var total: Duration { late + communication }

  package static func + (first: SumWaiting, second: SumWaiting) -> SumWaiting {
    SumWaiting(
      late: first.late + second.late, communication: first.communication + second.communication)
  }

  package static func - (end: SumWaiting, start: SumWaiting) -> SumWaiting {
    SumWaiting(late: end.late - start.late, communication: end.communication - start.communication)
  }
}
