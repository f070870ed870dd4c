/// How a host's clock runs beside rank 0's: its lead was measured at the start and at the end, and grows
/// evenly between (and beyond) the two.
package struct ClockLine: Equatable, Sendable {
  /// One measurement.
  package struct Point: Equatable, Sendable {
    /// By the host's own clock.
    package var time: MonotonicInstant
    /// What the host's clock shows more than rank 0's at the same moment.
    package var lead: Duration
    /// The lead is right up to so much.
    package var uncertainty: Duration

    package init(time: MonotonicInstant, lead: Duration, uncertainty: Duration) {
      self.time = time
      self.lead = lead
      self.uncertainty = uncertainty
    }

    /// From one message there and back: the best guess is that both ways took equally long.
    ///
    /// Source: Cristian 1989, "Probabilistic clock synchronization", section 3.
    /// - Parameters:
    ///   - sent, returned: By rank 0's clock.
    ///   - answered: By the host's clock.
    package init(
      sent: MonotonicInstant, answered: MonotonicInstant, returned: MonotonicInstant
    ) {
      let way = (returned - sent) / 2
      self.init(time: answered, lead: answered - (sent + way), uncertainty: way)
    }
  }

  package var start: Point
  package var end: Point

  package init(start: Point, end: Point) {
    self.start = start
    self.end = end
  }

  /// The clock of rank 0's own host.
  package static let own = ClockLine(
    start: Point(time: .init(nanoseconds: 0), lead: .zero, uncertainty: .zero),
    end: Point(time: .init(nanoseconds: 0), lead: .zero, uncertainty: .zero))

  /// What rank 0's clock showed when the host's clock showed `time`. Keeps the order of moments.
  package func corrected(_ time: MonotonicInstant) -> MonotonicInstant {
    let span = end.time.nanoseconds - start.time.nanoseconds
    let drift = (end.lead - start.lead).wholeNanoseconds
    var lead = start.lead.wholeNanoseconds
    if span > 0 {
      let part = Double(time.nanoseconds - start.time.nanoseconds) / Double(span)
      lead += Int64((part * Double(drift)).rounded())
    }
    return MonotonicInstant(nanoseconds: time.nanoseconds - lead)
  }
}
