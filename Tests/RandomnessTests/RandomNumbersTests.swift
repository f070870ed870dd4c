import Randomness
import Testing

@Suite("Random numbers")
struct RandomNumbersTests {
  @Test("a sequence takes both halves of each block, in order")
  func sequence() {
    var numbers = RandomNumbers(seed: 5, purpose: "order", index: 9)
    let stream = Philox(seed: 5, purpose: "order")
    for minor in 0..<3 as Range<UInt64> {
      let bits = stream.block(major: 9, minor: minor)
      #expect(numbers.next() == UInt64(bits[0]) | UInt64(bits[1]) << 32)
      #expect(numbers.next() == UInt64(bits[2]) | UInt64(bits[3]) << 32)
    }
  }

  @Test("uniform numbers lie on [0, 1) with the mean and variance of the uniform distribution")
  func uniform() {
    var numbers = RandomNumbers(seed: 1, purpose: "uniform")
    let draws = (0..<100_000).map { _ in numbers.uniform() }
    #expect(draws.allSatisfy { (0..<1).contains($0) })
    let mean = draws.reduce(0, +) / 100_000
    let variance = draws.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 100_000
    // Five deviations of the mean of 100,000 draws: 5 * sqrt(1 / 12 / 100,000) = 0.0046.
    #expect(abs(mean - 0.5) < 0.0046)
    #expect(abs(variance - 1.0 / 12) < 0.0012)
  }

  @Test("the index is another sequence")
  func indices() {
    var (a, b) = (
      RandomNumbers(seed: 1, purpose: "x"), RandomNumbers(seed: 1, purpose: "x", index: 1)
    )
    #expect(a.next() != b.next())
  }
}
