import Dispatch

/// A reading of the host's monotonic clock, which all processes of a host share.
///
/// Clocks of different hosts have nothing to do with each other; see `ClockOffset`.
package struct MonotonicInstant: BitwiseCopyable, Comparable, Sendable {
  /// Since a moment that is the same for all processes of the host.
  package var nanoseconds: Int64

  package init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  package static var now: MonotonicInstant {
    MonotonicInstant(nanoseconds: Int64(DispatchTime.now().uptimeNanoseconds))
  }

  package static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
    left.nanoseconds < right.nanoseconds
  }

  package static func - (end: MonotonicInstant, start: MonotonicInstant) -> Duration {
    .nanoseconds(end.nanoseconds - start.nanoseconds)
  }

  package static func + (start: MonotonicInstant, length: Duration) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: start.nanoseconds + length.wholeNanoseconds)
  }
}

extension Duration {
  /// The length in nanoseconds, what is beyond them cut off.
  package var wholeNanoseconds: Int64 {
    components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
  }
}
