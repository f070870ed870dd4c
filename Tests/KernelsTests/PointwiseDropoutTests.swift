import Kernels
import Randomness
import Storage
import Testing

@Suite("Dropout")
struct PointwiseDropoutTests {
  private let stream = Philox(seed: 11, purpose: "dropout 0")

  /// The documented rule, element by element.
  private func keeps(_ sample: UInt64, _ element: Int, step: UInt64, rate: Double) -> Bool {
    let upper = (sample >> 32) << 16 | (step >> 32) & 0xFFFF
    let bits = stream.block(
      SIMD4(
        UInt32(element / 128 * 16 + element % 16), UInt32(truncatingIfNeeded: sample),
        UInt32(truncatingIfNeeded: step), UInt32(truncatingIfNeeded: upper)))
    let half = element % 128 / 16
    let number = half % 2 == 0 ? bits[half / 2] & 0xFFFF : bits[half / 2] >> 16
    return number >= UInt32((rate * 65536).rounded())
  }

  private func run<S: Scalar>(
    _ x: [Double], rows: Int, rate: Double, step: UInt64 = 5, first: UInt64 = 0, _ scalar: S.Type
  ) -> [Double] {
    let block = GuardedBlock<S>(x)
    dropout(
      input: block.block, rows: rows, channels: x.count / max(rows, 1), rate: rate, stream: stream,
      step: step, firstSample: first, into: block.block)
    return block.numbers
  }

  private func check<S: Scalar>(_ rows: Int, _ channels: Int, _ rate: Double, _ scalar: S.Type) {
    let x = testNumbers(rows * channels, "x", low: 1, high: 2)
    for (step, first) in [(5, 0), (1 << 33 + 7, 3 << 40 + 1)] as [(UInt64, UInt64)] {
      let result = run(x, rows: rows, rate: rate, step: step, first: first, S.self)
      let expected = x.indices.map { i in
        keeps(first + UInt64(i / channels), i % channels, step: step, rate: rate)
          ? Double(S(x[i]) * S(1 / (1 - rate))) : 0
      }
      #expect(result == expected, "\(S.self) \(rows)x\(channels)")
    }
  }

  @Test(
    "every element follows the documented rule",
    arguments: [(0, 3), (1, 1), (3, 10), (2, 16), (5, 17), (3, 127), (2, 128), (2, 129), (2, 601)],
    [0, 0.1, 0.5, 0.97])
  func rule(shape: (Int, Int), rate: Double) {
    check(shape.0, shape.1, rate, Float.self)
    check(shape.0, shape.1, rate, Double.self)
  }

  @Test("the same samples in any grouping get the same bits")
  func grouping() {
    let x = testNumbers(9 * 200, "x")
    let whole = run(x, rows: 9, rate: 0.3, first: 4, Float.self)
    for cuts in [[0, 1, 9], [0, 3, 4, 8, 9]] {
      var parts: [Double] = []
      for (from, to) in zip(cuts, cuts.dropFirst()) {
        let part = Array(x[(from * 200)..<(to * 200)])
        parts += run(part, rows: to - from, rate: 0.3, first: UInt64(4 + from), Float.self)
      }
      #expect(parts == whole)
    }
  }

  @Test("the dropped share is the rate, and samples, steps and elements are independent")
  func statistics() {
    let count = 100_000
    let ones = [Double](repeating: 1, count: 10 * count)
    let first = run(ones, rows: 10, rate: 0.3, step: 1, Double.self).map { $0 > 0 }
    let second = run(ones, rows: 10, rate: 0.3, step: 2, Double.self).map { $0 > 0 }
    func share(_ flags: [Bool]) -> Double {
      Double(flags.count { $0 }) / Double(flags.count)
    }
    // Five deviations of a million draws: 5 * sqrt(0.3 * 0.7 / 1e6) = 0.0023.
    #expect(abs(share(first) - 0.7) < 0.0023)
    let pairs = [
      zip(first, second).map { $0 && $1 }, zip(first, first.dropFirst()).map { $0 && $1 },
      zip(first, first.dropFirst(count)).map { $0 && $1 },
      zip(first, first.dropFirst(16)).map { $0 && $1 },
    ]
    for pair in pairs { #expect(abs(share(pair) - 0.49) < 0.003) }
  }

  @Test("what is dropped is zero even where it was not a number")
  func dropsNotANumber() {
    let result = run([Double](repeating: .nan, count: 64), rows: 1, rate: 0.5, Float.self)
    #expect(result.contains(0) && result.contains { $0.isNaN })
  }
}
