import Graph
import Kernels
import Storage
import Testing

/// Batch norm over several micro-shards, whose shares are added up here as the ranks do.
@Suite("Batch norm over the whole batch")
struct PointwiseWholeBatchNormTests {
  /// One micro-shard.
  private struct Part<S: Scalar> {
    let rows: Int
    let input, output, dy, mean, inverse, variance, gammaGradient, betaGradient: GuardedBlock<S>
    let ownMean, ownSquares: GuardedBlock<S>

    init(_ x: [Double], _ dy: [Double], rows: Int, channels: Int) {
      self.rows = rows
      (input, self.dy) = (GuardedBlock(x), GuardedBlock(dy))
      output = GuardedBlock(count: x.count)
      (mean, inverse) = (GuardedBlock(count: channels), GuardedBlock(count: channels))
      (variance, ownMean) = (GuardedBlock(count: channels), GuardedBlock(count: channels))
      (ownSquares, gammaGradient) = (GuardedBlock(count: channels), GuardedBlock(count: channels))
      betaGradient = GuardedBlock(count: channels)
    }
  }

  /// What all rows get.
  private struct Outcome {
    var output: [Double] = []
    var mean: [Double] = []
    var variance: [Double] = []
    var inputGradient: [Double] = []
    var gammaGradient: [Double] = []
    var betaGradient: [Double] = []
  }

  /// - Parameter cuts: The rows of each micro-shard.
  private func run<S: Scalar>(
    _ p: PointwiseBatchNormGradientTests.Point, cuts: [Int], _ activation: Activation,
    _ scalar: S.Type
  ) -> Outcome {
    let channels = p.channels
    let (gamma, beta) = (GuardedBlock<S>(p.gamma), GuardedBlock<S>(p.beta))
    var start = 0
    let parts = cuts.map { rows in
      defer { start += rows }
      let elements = start * channels..<(start + rows) * channels
      return Part<S>(
        Array(p.x[elements]), Array(p.dy[elements]), rows: rows, channels: channels)
    }
    let mean = sum(parts, channels) { part, share in
      batchMoments(
        input: part.input.block, rows: part.rows, channels: channels,
        share: S(part.rows) / S(p.rows), meanShare: share, mean: part.ownMean.block,
        squares: part.ownSquares.block)
    }
    let squares = sum(parts, channels) { part, share in
      batchSquares(
        batchMean: mean.block, mean: part.ownMean.block, squares: part.ownSquares.block,
        rows: part.rows, channels: channels, into: share)
    }
    let fused = activation == .relu
    let sums = sum(parts, 2 * channels) { part, share in
      wholeBatchNorm(
        input: part.input.block, rows: part.rows, channels: channels, gamma: gamma.block,
        beta: beta.block, mean: mean.block, squares: squares.block, batchRows: p.rows,
        epsilon: 1e-5, activation: activation, into: part.output.block,
        inverseDeviation: part.inverse.block, unbiasedVariance: part.variance.block)
      wholeBatchNormShares(
        input: part.input.block, output: fused ? part.output.block : nil,
        outputGradient: part.dy.block, rows: part.rows, channels: channels, mean: mean.block,
        inverseDeviation: part.inverse.block, activation: activation, into: share,
        gammaGradient: part.gammaGradient.block, betaGradient: part.betaGradient.block)
    }
    for part in parts {
      wholeBatchNormGradient(
        input: part.input.block, output: fused ? part.output.block : nil,
        outputGradient: part.dy.block, rows: part.rows, channels: channels, gamma: gamma.block,
        mean: mean.block, inverseDeviation: part.inverse.block, sums: sums.block,
        batchRows: p.rows, activation: activation, into: part.dy.block)
    }
    return Outcome(
      output: parts.flatMap(\.output.numbers), mean: mean.numbers,
      variance: parts[0].variance.numbers, inputGradient: parts.flatMap(\.dy.numbers),
      gammaGradient: Array(sums.numbers[..<channels]),
      betaGradient: Array(sums.numbers[channels...]))
  }

  private func sum<S: Scalar>(
    _ parts: [Part<S>], _ count: Int, _ share: (Part<S>, Block<S>) -> Void
  ) -> GuardedBlock<S> {
    let total = GuardedBlock<S>([Double](repeating: 0, count: count))
    for part in parts {
      let own = GuardedBlock<S>(count: count)
      share(part, own.block)
      _ = own.numbers
      accumulate(own.block, into: total.block)
    }
    return total
  }

  private func checkWhole<S: Scalar>(
    _ p: PointwiseBatchNormGradientTests.Point, _ activation: Activation, _ scalar: S.Type
  ) {
    let outcome = run(p, cuts: [p.rows], activation, scalar)
    let call = PointwiseBatchNormTests.Call<S>(p.x, p.rows, p.channels, p.gamma, p.beta)
    call.run(activation)
    #expect(outcome.output == call.output.numbers)
    #expect(outcome.mean == call.mean.numbers)
    #expect(outcome.variance == call.variance.numbers)
    let plain = PointwiseBatchNormGradientTests.Gradients(
      p, activation, evaluation: false, scalar)
    #expect(outcome.inputGradient == plain.input)
    #expect(outcome.gammaGradient == plain.gamma)
    #expect(outcome.betaGradient == plain.beta)
  }

  @Test(
    "one micro-shard has the bits of plain batch norm",
    arguments: PointwiseBatchNormGradientTests.shapes + [(1, 7), (129, 31)],
    PointwiseBatchNormGradientTests.activations)
  func oneShard(shape: (Int, Int), activation: Activation) {
    let p = PointwiseBatchNormGradientTests.Point(rows: shape.0, channels: shape.1)
    checkWhole(p, activation, Float.self)
    checkWhole(p, activation, Double.self)
  }

  @Test(
    "micro-shards of any size, empty ones too, get what all rows together get",
    arguments: [[9, 8], [1, 15, 1], [0, 10, 7], [6, 0, 0, 11]], [1, 5, 24])
  func cuts(cuts: [Int], channels: Int) {
    let p = PointwiseBatchNormGradientTests.Point(rows: 17, channels: channels)
    for activation in PointwiseBatchNormGradientTests.activations {
      let whole = run(p, cuts: [17], activation, Double.self)
      // 17 terms in another order; Float's numbers are rounded before they are cut.
      expectSame(run(p, cuts: cuts, activation, Double.self), whole, tolerance: 1e-13)
      expectSame(run(p, cuts: cuts, activation, Float.self), whole, tolerance: 1e-5)
    }
  }

  private func expectSame(_ outcome: Outcome, _ truth: Outcome, tolerance: Double) {
    expectClose(outcome.output, truth.output, tolerance: tolerance, "output")
    expectClose(outcome.mean, truth.mean, tolerance: tolerance, "mean")
    expectClose(outcome.variance, truth.variance, tolerance: tolerance, "variance")
    expectClose(outcome.inputGradient, truth.inputGradient, tolerance: tolerance, "dx")
    expectClose(outcome.gammaGradient, truth.gammaGradient, tolerance: tolerance, "dgamma")
    expectClose(outcome.betaGradient, truth.betaGradient, tolerance: tolerance, "dbeta")
  }

  @Test("a large mean with a small variance keeps its variance across micro-shards")
  func largeMean() {
    let x = rounded(testNumbers(3000, "large", low: 4000, high: 4001), as: Float.self)
    var p = PointwiseBatchNormGradientTests.Point(rows: 1000, channels: 3)
    p.x = x
    let outcome = run(p, cuts: [300, 100, 600], .identity, Float.self)
    let truth = PointwiseBatchNormTests.Reference(x, 1000, 3, p.gamma, p.beta)
    // Means are off by 2^-12, and the micro-shards' means differ by 0.02: 2 * 0.02 * 2^-12 in a variance of 0.08.
    // A mean of squares less a squared mean would be off by 1.
    expectClose(
      outcome.variance, truth.variance.map { $0 * 1000 / 999 }, tolerance: 1.2e-4, scale: 0)
  }
}
