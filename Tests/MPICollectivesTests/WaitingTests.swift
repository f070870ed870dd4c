import MPICollectives
import Testing

@Suite("Waiting for other ranks")
struct WaitingTests {
  private func waiting(sharesCores: Bool) -> Waiting {
    var waiting = Waiting()
    waiting.sharesCores = sharesCores
    return waiting
  }

  @Test("a rank with a core of its own looks again before it does anything else")
  func ownCore() {
    let waiting = waiting(sharesCores: false)
    #expect(waiting.pauseKind(attempt: 0) == .none)
    #expect(waiting.pauseKind(attempt: 999) == .none)
    #expect(waiting.pauseKind(attempt: 1000) == .yield)
    #expect(waiting.pauseKind(attempt: 21_000) == .sleep(microseconds: 50))
  }

  @Test("a rank that shares its core gives it away at once, as one does that does not know yet")
  func sharedCore() {
    #expect(Waiting().pauseKind(attempt: 0) == .yield)
    #expect(waiting(sharesCores: true).pauseKind(attempt: 1999) == .yield)
    #expect(waiting(sharesCores: true).pauseKind(attempt: 2000) == .sleep(microseconds: 50))
  }

  @Test("the longer the wait the longer the sleep, up to a millisecond")
  func longWait() {
    let waiting = waiting(sharesCores: true)
    #expect(waiting.pauseKind(attempt: 2100) == .sleep(microseconds: 150))
    #expect(waiting.pauseKind(attempt: 1_000_000) == .sleep(microseconds: 1000))
  }
}
