import Foundation
import Graph
import Kernels
import Storage
import Testing

/// The loss of label sequences against the sum over all ways, written out.
@Suite("Connectionist temporal classification")
struct SequencesTemporalLossTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var steps: Int
    var classes: Int
    /// Of each sample.
    var labels: [[Int]]

    var testDescription: String { "\(steps) steps, \(classes) classes, \(labels)" }
  }

  static let cases = [
    Case(steps: 1, classes: 2, labels: [[1], []]),
    Case(steps: 3, classes: 3, labels: [[1, 2], [2, 2], [1], [], [1, 1, 1]]),
    Case(steps: 5, classes: 4, labels: [[3, 3, 1], [1, 2, 3], [2, 1, 2, 1, 2], [3, 3, 3, 3]]),
    Case(steps: 7, classes: 3, labels: [[1, 2, 1], [1, 1, 2, 2], [2]]),
  ]

  /// `-ln` of the sum over all paths of `steps` classes that collapse to the labels; nil: there is none.
  private func reference(_ probabilities: [[Double]], _ labels: [Int]) -> Double? {
    let classes = probabilities.first?.count ?? 1
    var sum = 0.0
    for number in 0..<Int(pow(Double(classes), Double(probabilities.count))) {
      var (rest, path) = (number, [Int]())
      for _ in probabilities {
        path.append(rest % classes)
        rest /= classes
      }
      let collapsed = path.indices.filter { $0 == 0 || path[$0] != path[$0 - 1] }.map { path[$0] }
      guard collapsed.filter({ $0 > 0 }) == labels else { continue }
      sum += zip(probabilities, path).reduce(1.0) { $0 * $1.0[$1.1] }
    }
    return sum > 0 ? -log(sum) : nil
  }

  private func softmax(_ row: ArraySlice<Double>) -> [Double] {
    let powers = row.map { exp($0) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }

  /// Losses and gradient, and the lengths that were used.
  private func run<S: Scalar>(
    _ example: Case, _ logits: [Double], lengths: [Int]?, of scalar: S.Type
  ) -> (losses: [Double], gradient: [Double]) {
    let most = example.labels.map(\.count).max() ?? 0
    let shape = TemporalShape(steps: example.steps, classes: example.classes, labels: most)
    let samples = example.labels.count
    let labels = AlignedMemory(
      copying: example.labels.flatMap { list in
        (0..<most).map { Int32($0 < list.count ? list[$0] : -1) }
      })
    let z = GuardedBlock<S>(logits)
    let losses = GuardedBlock<S>(count: samples)
    let gradient = GuardedBlock<S>(count: logits.count)
    let scratch = GuardedBlock<S>(count: temporalLossScratchCount(shape, of: S.self))
    let ends = lengths.map { GuardedBlock<S>($0.map(Double.init)) }
    connectionistTemporalLoss(
      shape, samples: samples, logits: z.block, labels: labels.block, lengths: ends?.block,
      scale: 0.5, losses: losses.block, gradient: gradient.block, scratch: scratch.block)
    _ = scratch.numbers
    let only = GuardedBlock<S>(count: samples)
    connectionistTemporalLoss(
      shape, samples: samples, logits: z.block, labels: labels.block, lengths: ends?.block,
      scale: 0.5, losses: only.block, gradient: nil, scratch: scratch.block)
    #expect(only.numbers == losses.numbers)
    return (losses.numbers, gradient.numbers)
  }

  private func logits(_ example: Case) -> [Double] {
    testNumbers(
      example.labels.count * example.steps * example.classes, example.testDescription, low: -3,
      high: 3)
  }

  @Test("losses are those of all ways, infeasible labels give 0", arguments: cases)
  func losses(_ example: Case) {
    let logits = logits(example)
    for lengths in [nil, example.labels.indices.map { $0 % (example.steps + 1) }] {
      let double = run(example, logits, lengths: lengths, of: Double.self)
      let float = run(example, rounded(logits, as: Float.self), lengths: lengths, of: Float.self)
      for (sample, labels) in example.labels.enumerated() {
        let length = lengths?[sample] ?? example.steps
        let probabilities = (0..<length).map { step in
          let start = (sample * example.steps + step) * example.classes
          return softmax(logits[start..<start + example.classes])
        }
        let expected = reference(probabilities, labels) ?? 0
        #expect(abs(double.losses[sample] - expected) < 1e-12, "\(labels), \(length) steps")
        #expect(abs(float.losses[sample] - expected) < 2e-5, "\(labels), \(length) steps")
      }
    }
  }

  @Test("the gradient is that of central differences, and 0 behind the end", arguments: cases)
  func gradient(_ example: Case) {
    var logits = logits(example)
    let lengths = example.labels.indices.map { max(0, example.steps - $0 % 3) }
    let gradient = run(example, logits, lengths: lengths, of: Double.self).gradient
    for index in logits.indices {
      let sample = index / (example.steps * example.classes)
      let value = logits[index]
      func loss(_ step: Double) -> Double {
        logits[index] = value + step
        return run(example, logits, lengths: lengths, of: Double.self).losses[sample]
      }
      let change = 8 * (loss(1e-3) - loss(-1e-3)) - (loss(2e-3) - loss(-2e-3))
      logits[index] = value
      #expect(abs(change / 12e-3 * 0.5 - gradient[index]) < 1e-9, "logit \(index)")
    }
  }

  @Test("labels that steps cannot spell have neither loss nor gradient")
  func infeasible() {
    let example = Case(steps: 3, classes: 3, labels: [[1, 1, 2], [1, 2, 1]])
    let result = run(example, logits(example), lengths: nil, of: Double.self)
    #expect(result.losses[0] == 0 && result.losses[1] > 0)
    #expect(result.gradient.prefix(9).allSatisfy { $0 == 0 })
  }

  @Test("the most likely classes spell labels once equal neighbours and blanks are out")
  func spelled() {
    func count(_ path: [Int], _ labels: [Int], length: Int? = nil) -> Int {
      let shape = TemporalShape(steps: path.count, classes: 3, labels: 3)
      let z = GuardedBlock<Double>(path.flatMap { best in (0..<3).map { $0 == best ? 1 : 0 } })
      let list = AlignedMemory(copying: (0..<3).map { Int32($0 < labels.count ? labels[$0] : -1) })
      let end = length.map { GuardedBlock<Double>([Double($0)]) }
      return list.withBlock {
        countSpelled(shape, samples: 1, outputs: z.block, labels: $0, lengths: end?.block)
      }
    }
    #expect(count([0, 1, 1, 0, 2], [1, 2]) == 1)
    #expect(count([1, 1, 0, 1], [1, 1]) == 1)
    #expect(count([1, 1, 1, 1], [1, 1]) == 0)
    #expect(count([1, 2, 1, 2], [1, 2, 1]) == 0)
    #expect(count([1, 2, 1, 2], [1, 2, 1], length: 3) == 1)
    #expect(count([1, 2], [1, 2, 1]) == 0)
    #expect(count([0, 0], []) == 1)
    #expect(count([1], [1], length: 0) == 0)
  }

  @Test("logits of any size, and more steps than exponents reach")
  func extremes() {
    let example = Case(steps: 400, classes: 5, labels: [[1, 2, 3, 4, 4, 1], [2]])
    let small = testNumbers(4000, "large", low: -1, high: 1)
    for factor in [1.0, 300] {
      let result = run(example, small.map { $0 * factor }, lengths: nil, of: Float.self)
      let exact = run(example, small.map { $0 * factor }, lengths: nil, of: Double.self)
      #expect((result.losses + result.gradient).allSatisfy { $0.isFinite })
      let worst = zip(result.losses, exact.losses).map { abs($0 - $1) / max(1, abs($1)) }.max() ?? 1
      #expect(worst < 1e-4, "\(worst)")
    }
  }
}
