import Foundation

extension Process {
  /// Starts it with no signal blocked, as a shell does.
  ///
  /// The threads that tests run on block most signals, a child inherits that, and a shell that never
  /// hears of its children's ends waits for ever.
  func runUnblocked() throws {
    var none = sigset_t()
    var blocked = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &blocked)
    defer { pthread_sigmask(SIG_SETMASK, &blocked, nil) }
    try run()
  }
}
