import Foundation
import Kernels
import Storage
import Testing

/// A loss over rows of outputs and targets, in any precision.
enum RowLoss: CaseIterable {
  case softmax, smoothedSoftmax, weightedSoftmax
  case sigmoid, weightedSigmoid
  case squared, absolute, huber

  /// Class weights, or weights of the positives.
  func weights(_ channels: Int) -> [Double]? {
    switch self {
    case .weightedSoftmax, .weightedSigmoid: testNumbers(channels, "weights", low: 0.3, high: 3)
    default: nil
    }
  }

  var smoothing: Double {
    switch self {
    case .smoothedSoftmax, .weightedSoftmax: 0.1
    default: 0
    }
  }

  var isSoftmax: Bool { self == .softmax || self == .smoothedSoftmax || self == .weightedSoftmax }

  func run<S: Scalar>(
    _ z: Block<S>, _ t: Block<S>, rows: Int, channels: Int, scale: S, losses: Block<S>,
    gradient: Block<S>?
  ) {
    let weights = weights(channels).map { GuardedBlock<S>($0) }
    switch self {
    case .softmax, .smoothedSoftmax, .weightedSoftmax:
      softmaxCrossEntropy(
        logits: z, targets: t, rows: rows, channels: channels, labelSmoothing: S(smoothing),
        classWeights: weights?.block, scale: scale, losses: losses, gradient: gradient)
    case .sigmoid, .weightedSigmoid:
      sigmoidCrossEntropy(
        logits: z, targets: t, rows: rows, channels: channels, positiveWeights: weights?.block,
        scale: scale, losses: losses, gradient: gradient)
    case .squared:
      meanSquared(
        outputs: z, targets: t, rows: rows, channels: channels, scale: scale, losses: losses,
        gradient: gradient)
    case .absolute:
      meanAbsolute(
        outputs: z, targets: t, rows: rows, channels: channels, scale: scale, losses: losses,
        gradient: gradient)
    case .huber:
      Kernels.huber(
        outputs: z, targets: t, rows: rows, channels: channels, delta: 0.7, scale: scale,
        losses: losses, gradient: gradient)
    }
  }

  /// The plain formula of one row.
  func reference(_ z: ArraySlice<Double>, _ t: ArraySlice<Double>) -> Double {
    let channels = Double(z.count)
    let pairs = zip(z, t)
    let w = weights(z.count) ?? [Double](repeating: 1, count: z.count)
    switch self {
    case .softmax, .smoothedSoftmax, .weightedSoftmax:
      let logSum = log(z.reduce(0) { $0 + exp($1) })
      let loss = pairs.reduce(0) { sum, pair in
        sum - ((1 - smoothing) * pair.1 + smoothing / channels) * (pair.0 - logSum)
      }
      return weights(z.count) == nil ? loss : loss * dot(w, Array(t))
    case .sigmoid, .weightedSigmoid:
      let terms = zip(pairs, w).map { pair, w in
        w * pair.1 * log(1 + exp(-pair.0)) + (1 - pair.1) * log(1 + exp(pair.0))
      }
      return terms.reduce(0, +) / channels
    case .squared: return pairs.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / channels
    case .absolute: return pairs.reduce(0) { $0 + abs($1.0 - $1.1) } / channels
    case .huber:
      return pairs.reduce(0) { sum, pair in
        let d = abs(pair.0 - pair.1)
        return sum + (d <= 0.7 ? d * d / 2 : 0.7 * (d - 0.35))
      } / channels
    }
  }
}

@Suite("Losses")
struct PointwiseLossTests {
  /// Targets: distributions for softmax, fractions for the others.
  private func targets(_ loss: RowLoss, _ rows: Int, _ channels: Int) -> [Double] {
    let raw = testNumbers(rows * channels, "t", low: 0, high: 1)
    guard loss.isSoftmax else { return raw }
    return raw.indices.map { i in
      let row = i / channels
      return raw[i] / raw[row * channels..<(row + 1) * channels].reduce(0, +)
    }
  }

  private func bits(_ numbers: [Double]) -> [UInt64] { numbers.map(\.bitPattern) }

  private func run<S: Scalar>(
    _ loss: RowLoss, _ z: [Double], _ t: [Double], rows: Int, scale: Double, _ scalar: S.Type
  ) -> (losses: [Double], gradient: [Double]) {
    let channels = z.count / max(rows, 1)
    let (outputs, targets) = (GuardedBlock<S>(z), GuardedBlock<S>(t))
    let (losses, only) = (GuardedBlock<S>(count: rows), GuardedBlock<S>(count: rows))
    loss.run(
      outputs.block, targets.block, rows: rows, channels: channels, scale: S(scale),
      losses: only.block, gradient: nil)
    #expect(bits(outputs.numbers) == bits(rounded(z, as: S.self)), "the outputs stay")
    loss.run(
      outputs.block, targets.block, rows: rows, channels: channels, scale: S(scale),
      losses: losses.block, gradient: outputs.block)
    #expect(bits(only.numbers) == bits(losses.numbers), "the loss alone")
    return (losses.numbers, outputs.numbers)
  }

  private func check<S: Scalar>(_ loss: RowLoss, _ rows: Int, _ channels: Int, _ scalar: S.Type) {
    let z = rounded(testNumbers(rows * channels, "z", low: -6, high: 6), as: S.self)
    let t = rounded(targets(loss, rows, channels), as: S.self)
    let result = run(loss, z, t, rows: rows, scale: 0.25, S.self)
    let expected = (0..<rows).map { row in
      let range = row * channels..<(row + 1) * channels
      return loss.reference(z[range], t[range])
    }
    expectClose(result.losses, expected, tolerance: 32 * epsilon(S.self), "\(loss)")
    let double = run(loss, z, t, rows: rows, scale: 0.25, Double.self)
    expectClose(result.gradient, double.gradient, tolerance: 16 * epsilon(S.self), "\(loss)")
    if rows > 1 {
      let tail = run(
        loss, Array(z[channels...]), Array(t[channels...]), rows: rows - 1, scale: 0.25, S.self)
      #expect(tail.losses == Array(result.losses[1...]), "rows depend on each other")
      #expect(tail.gradient == Array(result.gradient[channels...]), "rows depend on each other")
    }
  }

  @Test(
    "every row equals the formula, whichever rows come together", arguments: RowLoss.allCases,
    [(0, 4), (1, 1), (3, 1), (17, 3), (5, 10), (2, 16), (3, 37), (2, 101)])
  func formulas(loss: RowLoss, shape: (Int, Int)) {
    check(loss, shape.0, shape.1, Float.self)
    check(loss, shape.0, shape.1, Double.self)
  }

  @Test("every gradient agrees with central differences", arguments: RowLoss.allCases)
  func differences(loss: RowLoss) {
    let (rows, channels) = (5, 11)
    let z = testNumbers(rows * channels, "z", low: -3, high: 3)
    let t = targets(loss, rows, channels)
    let result = run(loss, z, t, rows: rows, scale: 0.2, Double.self)
    let error = differenceError(z, gradient: result.gradient) { moved in
      0.2
        * (0..<rows).reduce(0) { sum, row in
          let range = row * channels..<(row + 1) * channels
          return sum + loss.reference(moved[range], t[range])
        }
    }
    #expect(error < 1e-7, "\(loss): \(error)")
  }

  private func checkClasses<S: Scalar>(_ loss: RowLoss, _ channels: Int, _ scalar: S.Type) {
    let rows = 19
    let z = testNumbers(rows * channels, "z", low: -6, high: 6)
    let labels = (0..<rows).map { ($0 * 7) % channels }
    let oneHot = (0..<rows * channels).map { labels[$0 / channels] == $0 % channels ? 1.0 : 0 }
    let dense = run(loss, z, oneHot, rows: rows, scale: 0.1, S.self)
    let memory = AlignedMemory<Int32>(count: rows)
    memory.block.copy(from: labels.map { Int32($0) })
    let (logits, losses) = (GuardedBlock<S>(z), GuardedBlock<S>(count: rows))
    let weights = loss.weights(channels).map { GuardedBlock<S>($0) }
    softmaxCrossEntropy(
      logits: logits.block, classes: memory.block, rows: rows, channels: channels,
      labelSmoothing: S(loss.smoothing), classWeights: weights?.block, scale: S(0.1),
      losses: losses.block, gradient: logits.block)
    expectClose(losses.numbers, dense.losses, tolerance: 16 * epsilon(S.self))
    expectClose(logits.numbers, dense.gradient, tolerance: 8 * epsilon(S.self))
  }

  @Test(
    "class numbers give what their one-hot rows give",
    arguments: [RowLoss.softmax, .smoothedSoftmax, .weightedSoftmax], [1, 3, 10, 16, 33])
  func classes(loss: RowLoss, channels: Int) {
    checkClasses(loss, channels, Float.self)
    checkClasses(loss, channels, Double.self)
  }

  @Test("extreme logits give finite losses and slopes")
  func extremes() {
    let z = [1e4, -1e4, 1e4, -1e4]
    let sure = run(.sigmoid, z, [1, 0, 0, 1], rows: 4, scale: 1, Float.self)
    #expect(sure.losses == [0, 0, 1e4, 1e4])
    #expect(sure.gradient == [0, 0, 1, -1])
    let soft = run(.softmax, [1e4, -1e4], [0, 1], rows: 1, scale: 1, Float.self)
    #expect(soft.losses == [2e4])
    #expect(soft.gradient == [1, -1])
  }

  @Test("a tiny probability keeps its relative accuracy in Float")
  func tinyLoss() {
    let sigmoid = run(.sigmoid, [20, -20], [1, 0], rows: 2, scale: 1, Float.self)
    for loss in sigmoid.losses { #expect(abs(loss / log1p(exp(-20)) - 1) < 1e-6) }
    #expect(abs(sigmoid.gradient[1] * (1 + exp(20)) - 1) < 1e-6)
  }

  @Test("at equality the absolute error has slope zero, and not-a-number stays")
  func absoluteCorner() {
    let result = run(.absolute, [1, .nan, 3], [1, 0, 2], rows: 3, scale: 1, Float.self)
    #expect(result.gradient[0] == 0 && result.gradient[1].isNaN && result.gradient[2] == 1)
  }
}
