import Kernels
import Storage
import Testing

@Suite("Subnormal numbers")
struct SubnormalTests {
  @Test("count as zeros once a thread has been told so, and not before")
  func flush() {
    let least = Float.leastNormalMagnitude
    let thread = BackgroundThread(niceness: 0) {
      let before = halved(least)
      flushSubnormals()
      return [before, halved(least), halved(3 * least)]
    }
    #expect(thread.wait() == [least / 2, 0, 1.5 * least])
  }
}

/// Not optimised: the compiler believes that a product is the same before and after.
@_optimize(none)
private func halved(_ number: Float) -> Float { number * 0.5 }
