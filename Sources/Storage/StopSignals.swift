import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A signal by which a user, a launcher or a batch system asks a process to end.
package enum StopSignal: CaseIterable, Sendable {
  case terminate
  case interrupt
  case user

  package var number: Int32 {
    switch self {
    case .terminate: SIGTERM
    case .interrupt: SIGINT
    case .user: SIGUSR1
    }
  }

  package var name: String {
    switch self {
    case .terminate: "SIGTERM"
    case .interrupt: "SIGINT"
    case .user: "SIGUSR1"
    }
  }
}

/// Remembers the first stop signal, for the process to act on when it can; a second one ends the
/// process at once with the exit code 128 + number.
///
/// One request may reach a process twice, directly and through `mpirun`: what follows the first
/// signal within `sameRequest` is the same request.
package enum StopSignals {
  package static let sameRequest = Duration.milliseconds(500)

  /// From now on the signals no longer end the process by themselves; those that whoever started it had
  /// switched off are switched on again.
  package static func install() {
    // Makes the words exist before a handler may touch them.
    firstSignal.store(0, ordering: .relaxed)
    firstMoment.store(0, ordering: .releasing)
    var action = sigaction()
    // SAFETY: the handler only touches lock-free words and calls clock_gettime and _exit, all of them
    // allowed in a handler; the structure is valid, and calls that were interrupted start again.
    setHandler(of: &action)
    unsafe sigfillset(&action.sa_mask)
    action.sa_flags = SA_RESTART
    for signal in StopSignal.allCases {
      let code = unsafe sigaction(signal.number, &action, nil)
      precondition(code == 0, "sigaction refused \(signal.name): \(FileFault.reason(errno))")
    }
    var signals = sigset_t()
    // SAFETY: the set is valid; only this thread's mask changes.
    unsafe sigemptyset(&signals)
    for signal in StopSignal.allCases { unsafe sigaddset(&signals, signal.number) }
    unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
  }

  /// The first signal since `install`.
  package static var received: StopSignal? {
    let number = firstSignal.load(ordering: .relaxed)
    return number == 0 ? nil : StopSignal.allCases.first { $0.number == number }
  }

  private static func setHandler(of action: inout sigaction) {
    #if canImport(Glibc)
      unsafe action.__sigaction_handler.sa_handler = handleStopSignal
    #else
      unsafe action.__sa_handler.sa_handler = handleStopSignal
    #endif
  }
}

/// 0: none yet. A handler can reach nothing but globals.
private let firstSignal = Atomic<Int32>(0)
/// When it came, in nanoseconds of the monotonic clock; 0: not yet known.
private let firstMoment = Atomic<Int64>(0)

private func handleStopSignal(_ number: Int32) {
  var time = timespec()
  // SAFETY: the structure is valid during the call.
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  let now = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  let isFirst = firstSignal.compareExchange(
    expected: 0, desired: number, ordering: .acquiringAndReleasing
  ).exchanged
  if isFirst {
    firstMoment.store(now, ordering: .releasing)
    return
  }
  let first = firstMoment.load(ordering: .acquiring)
  if first != 0, now - first > 500_000_000 { _exit(128 + number) }
}
