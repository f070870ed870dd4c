import Foundation

/// What a rank does between two looks at what it waits for.
package struct Waiting {
  /// Whether ranks share cores here. Until somebody knows: yes.
  package var sharesCores = true

  package init() {}

  package enum Pause: Equatable {
    case none
    case yield
    case sleep(microseconds: UInt32)
  }

  func pause(attempt: Int) {
    switch pauseKind(attempt: attempt) {
    case .none: break
    case .yield: sched_yield()
    case .sleep(let microseconds): usleep(microseconds)
    }
  }

  /// With a core each: look on for a fraction of a millisecond, then yield between looks, which costs less
  /// than a microsecond where nobody else wants the core. With shared cores: yield at once.
  ///
  /// Sleep follows where yields return at once, because the kernel ignores them or nobody is there to
  /// yield to: 50 microseconds at first, a millisecond when the wait has become long. It is the last
  /// choice: against busy neighbours on Linux 6.18 a loop of `sched_yield` took 1% of a core and one of
  /// `usleep(50)` 8 to 20%.
  ///
  /// - Parameter attempt: How often it was looked in vain, from 0.
  package func pauseKind(attempt: Int) -> Pause {
    let looks = sharesCores ? 0 : 1000
    let yields = sharesCores ? 2000 : 20_000
    if attempt < looks { return .none }
    if attempt < looks + yields { return .yield }
    return .sleep(microseconds: UInt32(min(50 + (attempt - looks - yields), 1000)))
  }
}
