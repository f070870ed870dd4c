import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One piece of work on a thread of its own that yields to the others.
///
/// The thread runs at a lower priority (`niceness`) and takes no signals. Dropping the object waits
/// for the work to end.
@safe
package final class BackgroundThread<Result: Sendable> {
  private let work: Work<Result>
  private var thread = pthread_t()
  private var isJoined = false

  /// - Parameter niceness: 0...19; at 10 a thread gets about a tenth of a core that others want.
  package init(niceness: Int32 = 10, _ body: @escaping @Sendable () -> Result) {
    work = Work(niceness: niceness, body: body)
    var everySignal = sigset_t()
    var earlier = sigset_t()
    // SAFETY: the sets are valid; the thread inherits the mask, which is put back at once.
    unsafe sigfillset(&everySignal)
    unsafe pthread_sigmask(SIG_SETMASK, &everySignal, &earlier)
    // SAFETY: the thread takes over one reference to the work and releases it.
    let argument = unsafe Unmanaged.passRetained(work as AnyWork).toOpaque()
    let code = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        unsafe Unmanaged<AnyWork>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, argument)
    unsafe pthread_sigmask(SIG_SETMASK, &earlier, nil)
    precondition(code == 0, "pthread_create failed: \(FileFault.reason(code))")
  }

  deinit { join() }

  package var isFinished: Bool { work.result.withLock { $0 != nil } }

  /// Waits for the work to end.
  package func wait() -> Result {
    join()
    guard let result = work.result.withLock({ $0 }) else {
      preconditionFailure("the thread ended without a result")
    }
    return result
  }

  private func join() {
    guard !isJoined else { return }
    isJoined = true
    pthread_join(thread, nil)
  }
}

/// Runs `body` on a thread of its own to the end of the process; the thread takes no signals.
package func detachThread(_ body: @escaping @Sendable () -> Void) {
  let thread = BackgroundThread(niceness: 0, body)
  // SAFETY: kept for good, since letting the object go would wait for the thread.
  _ = unsafe Unmanaged.passRetained(thread)
}

/// What a thread runs, without the type of its result.
private class AnyWork {
  func run() {}
}

private final class Work<Result: Sendable>: AnyWork {
  let niceness: Int32
  let body: @Sendable () -> Result
  let result = Mutex<Result?>(nil)

  init(niceness: Int32, body: @escaping @Sendable () -> Result) {
    self.niceness = niceness
    self.body = body
  }

  override func run() {
    // On Linux 0 is the calling thread, which has a niceness of its own; failing to set it costs
    // speed, nothing else.
    setpriority(numericCast(PRIO_PROCESS.rawValue), 0, niceness)
    let value = body()
    result.withLock { $0 = value }
  }
}
