import Kernels
import Storage
import Testing

@Suite("Sums and products of blocks")
struct PointwiseElementwiseTests {
  static let counts = [0, 1, 3, 8, 16, 17, 31, 101]

  private func checkPairs<S: Scalar>(_ count: Int, _ scalar: S.Type) {
    let a = rounded(testNumbers(count, "a"), as: S.self)
    let b = rounded(testNumbers(count, "b"), as: S.self)
    let (first, second) = (GuardedBlock<S>(a), GuardedBlock<S>(b))
    let output = GuardedBlock<S>(count: count)
    addBlocks(first.block, second.block, into: output.block)
    #expect(output.numbers == zip(a, b).map { Double(S($0) + S($1)) })
    multiplyBlocks(first.block, second.block, into: output.block)
    #expect(output.numbers == zip(a, b).map { Double(S($0) * S($1)) })
    accumulate(first.block, into: second.block)
    #expect(second.numbers == zip(a, b).map { Double(S($0) + S($1)) })
    addBlocks(first.block, first.block, into: first.block)
    #expect(first.numbers == a.map { $0 + $0 })
    scale(first.block, by: S(0.3))
    #expect(first.numbers == a.map { Double(S($0 + $0) * S(0.3)) })
  }

  @Test("sums, products and scaling are exact to the bit, also in place", arguments: counts)
  func pairs(count: Int) {
    checkPairs(count, Float.self)
    checkPairs(count, Double.self)
  }

  @Test(
    "columns go from one matrix into another and leave the rest alone",
    arguments: [
      (rows: 3, from: 5, at: 1, into: 7, to: 2, count: 3), (2, 40, 3, 50, 11, 35),
      (4, 16, 0, 48, 32, 16), (0, 4, 0, 4, 0, 4), (5, 3, 2, 1, 0, 1), (2, 3, 0, 3, 0, 0),
    ])
  func columns(rows: Int, from: Int, at: Int, into: Int, to: Int, count: Int) {
    let (x, y) = (testNumbers(rows * from, "x"), testNumbers(rows * into, "y"))
    for adds in [false, true] {
      let (source, target) = (GuardedBlock<Double>(x), GuardedBlock<Double>(y))
      copyColumns(
        from: source.block, rows: rows, sourceChannels: from, sourceOffset: at, into: target.block,
        targetChannels: into, targetOffset: to, count: count, accumulate: adds)
      var expected = y
      for row in 0..<rows {
        for j in 0..<count {
          let number = x[row * from + at + j]
          expected[row * into + to + j] = number + (adds ? y[row * into + to + j] : 0)
        }
      }
      #expect(target.numbers == expected)
    }
  }
}

@Suite("Sums down the columns")
struct PointwiseColumnSumsTests {
  private func check<S: Scalar>(_ rows: Int, _ channels: Int, _ scalar: S.Type) {
    let x = rounded(testNumbers(rows * channels, "columns"), as: S.self)
    let expected = (0..<channels).map { c in
      (0..<rows).reduce(0) { $0 + x[$1 * channels + c] }
    }
    let (input, output) = (GuardedBlock<S>(x), GuardedBlock<S>(count: channels))
    columnSums(of: input.block, rows: rows, channels: channels, into: output.block)
    // 64 plain additions per partial sum of numbers below 1: 64 * 64 / 2 half units at the very most.
    expectClose(output.numbers, expected, tolerance: 64 * epsilon(S.self), "\(rows)x\(channels)")
  }

  @Test("column sums equal plain sums in any shape", arguments: oddShapes)
  func shapes(rows: Int, channels: Int) {
    check(rows, channels, Float.self)
    check(rows, channels, Double.self)
  }

  @Test("a million equal numbers keep their sum in Float", arguments: [1, 16, 40])
  func manyRows(channels: Int) {
    let rows = 1_000_003 / channels
    let input = GuardedBlock<Float>([Double](repeating: 0.1, count: rows * channels))
    let output = GuardedBlock<Float>(count: channels)
    columnSums(of: input.block, rows: rows, channels: channels, into: output.block)
    let truth = Double(Float(0.1)) * Double(rows)
    // A running sum in Float is off by about 1e-2; blocks of 64 stay within 64 roundings.
    for sum in output.numbers { #expect(abs(sum / truth - 1) < 2e-6) }
  }
}
