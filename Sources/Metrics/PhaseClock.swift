/// Charges monotonic time to phases: entering one ends the phase before it, so nothing is counted
/// twice and nothing is lost.
///
/// Reading and entering allocate nothing: both are allowed inside a training step.
package struct PhaseClock: Sendable {
  /// Time charged up to the last call of `enter` or `read`.
  package private(set) var split = TimeSplit()
  package private(set) var phase: Phase
  private var since: MonotonicInstant

  package init(in phase: Phase = .other, at now: MonotonicInstant = .now) {
    self.phase = phase
    since = now
  }

  /// Begins `next` and returns the phase that ended, for going back to it later.
  @discardableResult
  package mutating func enter(_ next: Phase, at now: MonotonicInstant = .now) -> Phase {
    let previous = phase
    split[previous] += now - since
    since = now
    phase = next
    return previous
  }

  /// Charges what has passed and goes on in the same phase; returns the split up to now.
  @discardableResult
  package mutating func read(at now: MonotonicInstant = .now) -> TimeSplit {
    enter(phase, at: now)
    return split
  }

  /// Moves time that another clock measured inside one phase to the phase it belongs to.
  package mutating func move(_ duration: Duration, from source: Phase, to target: Phase) {
    split[source] -= duration
    split[target] += duration
  }
}
