import Foundation
import Kernels
import Storage
import Testing

@Suite("Softmax")
struct PointwiseSoftmaxTests {
  private func reference(_ x: [Double], _ rows: Int, _ channels: Int) -> [Double] {
    (0..<rows).flatMap { row in
      let numbers = x[row * channels..<(row + 1) * channels]
      let largest = numbers.max() ?? 0
      let powers = numbers.map { exp($0 - largest) }
      let sum = powers.reduce(0, +)
      return powers.map { $0 / sum }
    }
  }

  private func run<S: Scalar>(_ x: [Double], _ rows: Int, _ scalar: S.Type) -> [Double] {
    let block = GuardedBlock<S>(x)
    softmax(
      input: block.block, rows: rows, channels: x.count / max(rows, 1), into: block.block)
    return block.numbers
  }

  private func check<S: Scalar>(_ rows: Int, _ channels: Int, _ scalar: S.Type) {
    let x = rounded(testNumbers(rows * channels, "x", low: -20, high: 20), as: S.self)
    let result = run(x, rows, S.self)
    expectClose(result, reference(x, rows, channels), tolerance: 16 * epsilon(S.self))
    if rows > 1 {
      let tail = run(Array(x[channels...]), rows - 1, S.self)
      #expect(tail == Array(result[channels...]), "rows depend on each other")
    }
  }

  @Test("every row equals the definition, whichever rows come together", arguments: oddShapes)
  func forward(rows: Int, channels: Int) {
    check(rows, channels, Float.self)
    check(rows, channels, Double.self)
  }

  @Test("huge logits neither overflow nor vanish")
  func hugeLogits() {
    #expect(run([1e30, -1e30, 1e30], 1, Float.self) == [0.5, 0, 0.5])
    #expect(run([-1000, -1000], 1, Float.self) == [0.5, 0.5])
    #expect(run([.nan, 1], 1, Float.self).allSatisfy { $0.isNaN })
  }

  @Test("the gradient agrees with central differences", arguments: [(1, 3), (5, 17), (3, 40)])
  func gradient(rows: Int, channels: Int) {
    let x = testNumbers(rows * channels, "x", low: -3, high: 3)
    let dy = testNumbers(rows * channels, "dy")
    let (y, dx) = (GuardedBlock<Double>(run(x, rows, Double.self)), GuardedBlock<Double>(dy))
    softmaxGradient(
      output: y.block, outputGradient: dx.block, rows: rows, channels: channels, into: dx.block)
    let error = differenceError(x, gradient: dx.numbers) {
      dot(dy, reference($0, rows, channels))
    }
    #expect(error < 1e-7, "\(error)")
  }
}
