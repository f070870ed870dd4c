import Graph
import Kernels
import Storage
import Testing

@Suite("Batch norm")
struct PointwiseBatchNormTests {
  /// The plain definition in Double.
  struct Reference {
    var mean: [Double]
    var variance: [Double]
    var output: [Double]
    let rows: Int

    init(_ x: [Double], _ rows: Int, _ channels: Int, _ gamma: [Double], _ beta: [Double]) {
      self.rows = rows
      let share = 1 / Double(max(rows, 1))
      let mean = (0..<channels).map { c in
        (0..<rows).reduce(0) { $0 + x[$1 * channels + c] } * share
      }
      let variance = (0..<channels).map { c in
        (0..<rows).reduce(0) { sum, r in
          let d = x[r * channels + c] - mean[c]
          return sum + d * d
        } * share
      }
      output = x.indices.map { i in
        let c = i % channels
        return (x[i] - mean[c]) / (variance[c] + 1e-5).squareRoot() * gamma[c] + beta[c]
      }
      (self.mean, self.variance) = (mean, variance)
    }
  }

  /// Blocks of one call.
  struct Call<S: Scalar> {
    let rows: Int
    let channels: Int
    let input, gamma, beta, output, mean, inverse, variance: GuardedBlock<S>

    init(_ x: [Double], _ rows: Int, _ channels: Int, _ gamma: [Double], _ beta: [Double]) {
      (self.rows, self.channels) = (rows, channels)
      (input, self.gamma, self.beta) = (GuardedBlock(x), GuardedBlock(gamma), GuardedBlock(beta))
      output = GuardedBlock(count: rows * channels)
      (mean, inverse) = (GuardedBlock(count: channels), GuardedBlock(count: channels))
      variance = GuardedBlock(count: channels)
    }

    func run(_ activation: Activation, into target: GuardedBlock<S>? = nil) {
      batchNorm(
        input: input.block, rows: rows, channels: channels, gamma: gamma.block, beta: beta.block,
        epsilon: 1e-5, activation: activation, into: (target ?? output).block, mean: mean.block,
        inverseDeviation: inverse.block, unbiasedVariance: variance.block)
    }

    func infer(_ activation: Activation, mean: GuardedBlock<S>, variance: GuardedBlock<S>) {
      batchNormInference(
        input: input.block, rows: rows, channels: channels, gamma: gamma.block, beta: beta.block,
        runningMean: mean.block, runningVariance: variance.block, epsilon: 1e-5,
        activation: activation, into: output.block)
    }
  }

  private func numbers(_ rows: Int, _ channels: Int) -> (x: [Double], g: [Double], b: [Double]) {
    (
      testNumbers(rows * channels, "x", low: -2, high: 3), testNumbers(channels, "gamma", low: 0.5),
      testNumbers(channels, "beta")
    )
  }

  private func checkForward<S: Scalar>(_ rows: Int, _ channels: Int, _ scalar: S.Type) {
    let (x, g, b) = numbers(rows, channels)
    let call = Call<S>(x, rows, channels, g, b)
    call.run(.identity)
    let truth = Reference(call.input.numbers, rows, channels, g, b)
    let label = "\(S.self) \(rows)x\(channels)"
    let unbias = Double(rows) / Double(max(rows - 1, 1))
    // 64 roundings in the statistics, and one row or two equal ones divide by sqrt(epsilon).
    let tolerance = 64 * epsilon(S.self) * (rows < 4 ? 300 : 1)
    expectClose(call.mean.numbers, truth.mean, tolerance: tolerance, label)
    expectClose(
      call.variance.numbers, truth.variance.map { $0 * unbias }, tolerance: tolerance, label)
    expectClose(call.output.numbers, truth.output, tolerance: tolerance, label)

    let plain = GuardedBlock<S>(call.output.numbers)
    applyActivation(.relu, input: plain.block, into: plain.block)
    call.run(.relu)
    #expect(call.output.numbers == plain.numbers, "fused relu")
    call.run(.relu, into: call.input)
    #expect(call.input.numbers == plain.numbers, "in place")
  }

  @Test("output and statistics equal the definition in any shape", arguments: oddShapes)
  func forward(rows: Int, channels: Int) {
    checkForward(rows, channels, Float.self)
    checkForward(rows, channels, Double.self)
  }

  @Test("a large mean with a small variance keeps its variance", arguments: [1, 16, 40])
  func largeMean(channels: Int) {
    let rows = 1000
    let x = rounded(
      testNumbers(rows * channels, "large", low: 4000, high: 4001), as: Float.self)
    let (g, b) = ([Double](repeating: 1, count: channels), [Double](repeating: 0, count: channels))
    let call = Call<Float>(x, rows, channels, g, b)
    call.run(.identity)
    let truth = Reference(x, rows, channels, g, b)
    let unbias = Double(rows) / Double(rows - 1)
    expectClose(
      call.variance.numbers, truth.variance.map { $0 * unbias }, tolerance: 1e-6, scale: 0)
    // The mean itself is rounded to 2^-13 of 4000, a thousandth of the deviation.
    expectClose(call.output.numbers, truth.output, tolerance: 1e-3)
  }

  @Test("a first row far from the others costs no accuracy")
  func outlierFirst() {
    var x = rounded(testNumbers(3000, "outlier", low: 999, high: 1001), as: Float.self)
    x[0] = -5000
    let call = Call<Float>(x, 3000, 1, [1], [0])
    call.run(.identity)
    let truth = Reference(x, 3000, 1, [1], [0])
    expectClose(
      call.variance.numbers, [truth.variance[0] * 3000 / 2999], tolerance: 1e-6, scale: 0)
    expectClose(call.mean.numbers, truth.mean, tolerance: 1e-7, scale: 0)
  }

  @Test("a constant channel has variance zero and gives beta")
  func constantChannel() {
    let x = (0..<130 * 3).map { $0 % 3 == 1 ? 0.1 : Double($0) }
    let call = Call<Float>(x, 130, 3, [1, 1, 1], [0.5, 0.25, 0.125])
    call.run(.identity)
    #expect(call.variance.numbers[1] == 0)
    #expect((0..<130).allSatisfy { call.output.numbers[$0 * 3 + 1] == 0.25 })
  }

  private func checkInference<S: Scalar>(_ rows: Int, _ channels: Int, _ scalar: S.Type) {
    let (x, g, b) = numbers(rows, channels)
    let mean = GuardedBlock<S>(testNumbers(channels, "mean"))
    let variance = GuardedBlock<S>(testNumbers(channels, "variance", low: 0.1, high: 2))
    let call = Call<S>(x, rows, channels, g, b)
    call.infer(.identity, mean: mean, variance: variance)
    let (input, gamma, beta) = (call.input.numbers, call.gamma.numbers, call.beta.numbers)
    let (m, v) = (mean.numbers, variance.numbers)
    let expected = input.indices.map { i in
      let c = i % channels
      return (input[i] - m[c]) / (v[c] + 1e-5).squareRoot() * gamma[c] + beta[c]
    }
    expectClose(call.output.numbers, expected, tolerance: 8 * epsilon(S.self))

    let whole = call.output.numbers
    for row in 0..<rows {
      let one = row * channels..<(row + 1) * channels
      batchNormInference(
        input: call.input.block[one], rows: 1, channels: channels, gamma: call.gamma.block,
        beta: call.beta.block, runningMean: mean.block, runningVariance: variance.block,
        epsilon: 1e-5, activation: .identity, into: call.input.block[one])
    }
    #expect(call.input.numbers == whole, "row by row, in place")
  }

  @Test("inference equals the definition, whichever rows come together", arguments: oddShapes)
  func inference(rows: Int, channels: Int) {
    checkInference(rows, channels, Float.self)
    checkInference(rows, channels, Double.self)
  }
}
