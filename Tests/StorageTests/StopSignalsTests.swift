import Glibc
import Storage
import Testing

/// A second signal ends the process: see `PreemptionTests` of the command.
@Suite("Stop signals")
struct StopSignalsTests {
  @Test("the first one is remembered, and its echoes are the same request")
  func first() {
    StopSignals.install()
    #expect(StopSignals.received == nil)
    // Threads that run tests may have signals switched off; the process has some that take them.
    kill(getpid(), SIGUSR1)
    for _ in 0..<1000 where StopSignals.received == nil { usleep(1000) }
    #expect(StopSignals.received == .user)
    // Directly and through a launcher: within half a second it is one request, and this test lives on.
    kill(getpid(), SIGTERM)
    usleep(50_000)
    #expect(StopSignals.received == .user)
    for signal in StopSignal.allCases { _ = Glibc.signal(signal.number, SIG_DFL) }
  }
}
