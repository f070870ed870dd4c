import Kernels
import Storage
import Testing

@Suite("Layer norm")
struct PointwiseLayerNormTests {
  private func forward<S: Scalar>(
    _ x: [Double], _ rows: Int, _ channels: Int, _ gamma: [Double], _ beta: [Double],
    _ scalar: S.Type
  ) -> (output: [Double], mean: [Double], inverse: [Double]) {
    let block = GuardedBlock<S>(x)
    let (g, b) = (GuardedBlock<S>(gamma), GuardedBlock<S>(beta))
    let (mean, inverse) = (GuardedBlock<S>(count: rows), GuardedBlock<S>(count: rows))
    layerNorm(
      input: block.block, rows: rows, channels: channels, gamma: g.block, beta: b.block,
      epsilon: 1e-5, into: block.block, mean: mean.block, inverseDeviation: inverse.block)
    return (block.numbers, mean.numbers, inverse.numbers)
  }

  private func reference(
    _ x: [Double], _ rows: Int, _ channels: Int, _ gamma: [Double], _ beta: [Double]
  ) -> [Double] {
    (0..<rows).flatMap { row in
      let numbers = x[row * channels..<(row + 1) * channels]
      let mean = numbers.reduce(0, +) / Double(channels)
      let variance = numbers.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(channels)
      return zip(numbers, zip(gamma, beta)).map { x, parameters in
        (x - mean) / (variance + 1e-5).squareRoot() * parameters.0 + parameters.1
      }
    }
  }

  private func checkForward<S: Scalar>(_ rows: Int, _ channels: Int, _ scalar: S.Type) {
    let x = rounded(testNumbers(rows * channels, "x", low: -2, high: 3), as: S.self)
    let gamma = rounded(testNumbers(channels, "gamma", low: 0.5), as: S.self)
    let beta = rounded(testNumbers(channels, "beta"), as: S.self)
    let result = forward(x, rows, channels, gamma, beta, S.self)
    // A few roundings, amplified by 1 / sqrt(epsilon) where a row has one channel.
    expectClose(
      result.output, reference(x, rows, channels, gamma, beta),
      tolerance: 32 * epsilon(S.self) * (channels < 3 ? 300 : 1), "\(rows)x\(channels)")
    if rows > 1 {
      let tail = forward(
        Array(x[channels...]), rows - 1, channels, gamma, beta, S.self)
      #expect(tail.output == Array(result.output[channels...]), "rows depend on each other")
    }
  }

  @Test("every row equals the definition, whichever rows come together", arguments: oddShapes)
  func forward(rows: Int, channels: Int) {
    checkForward(rows, channels, Float.self)
    checkForward(rows, channels, Double.self)
  }

  private func gradients<S: Scalar>(
    _ x: [Double], _ dy: [Double], _ rows: Int, _ gamma: [Double], _ scalar: S.Type
  ) -> (input: [Double], gamma: [Double], beta: [Double]) {
    let channels = gamma.count
    let (input, g) = (GuardedBlock<S>(x), GuardedBlock<S>(gamma))
    let (mean, inverse) = (GuardedBlock<S>(count: rows), GuardedBlock<S>(count: rows))
    let output = GuardedBlock<S>(count: x.count)
    layerNorm(
      input: input.block, rows: rows, channels: channels, gamma: g.block, beta: g.block,
      epsilon: 1e-5, into: output.block, mean: mean.block, inverseDeviation: inverse.block)
    let dx = GuardedBlock<S>(dy)
    let (dgamma, dbeta) = (GuardedBlock<S>(count: channels), GuardedBlock<S>(count: channels))
    layerNormGradient(
      input: input.block, outputGradient: dx.block, rows: rows, channels: channels, gamma: g.block,
      mean: mean.block, inverseDeviation: inverse.block, into: dx.block,
      gammaGradient: dgamma.block, betaGradient: dbeta.block)
    return (dx.numbers, dgamma.numbers, dbeta.numbers)
  }

  @Test(
    "all gradients agree with central differences", arguments: [(1, 3), (5, 17), (67, 4), (3, 40)])
  func differences(rows: Int, channels: Int) {
    let x = testNumbers(rows * channels, "x", low: -2, high: 3)
    let dy = testNumbers(rows * channels, "dy")
    let gamma = testNumbers(channels, "gamma", low: 0.5)
    let beta = testNumbers(channels, "beta")
    let result = gradients(x, dy, rows, gamma, Double.self)
    let errors = [
      differenceError(x, gradient: result.input) {
        dot(dy, reference($0, rows, channels, gamma, beta))
      },
      differenceError(gamma, gradient: result.gamma) {
        dot(dy, reference(x, rows, channels, $0, beta))
      },
      differenceError(beta, gradient: result.beta) {
        dot(dy, reference(x, rows, channels, gamma, $0))
      },
    ]
    #expect(errors.allSatisfy { $0 < 1e-7 }, "\(errors)")
    let float = gradients(x, dy, rows, gamma, Float.self)
    expectClose(float.input, result.input, tolerance: 2e-5)
    expectClose(float.gamma, result.gamma, tolerance: 2e-5)
    expectClose(float.beta, result.beta, tolerance: 2e-5)
  }
}
