import Graph
import Kernels
import Storage
import Testing

@Suite("Gradients of batch norm")
struct PointwiseBatchNormGradientTests {
  static let shapes = [(4, 1), (3, 5), (17, 3), (9, 17), (70, 2), (65, 24)]
  static let activations = [Activation.identity, .relu]

  struct Point {
    let rows: Int
    let channels: Int
    var x: [Double]
    let gamma, beta, dy, runningMean, runningVariance: [Double]

    init(rows: Int, channels: Int) {
      (self.rows, self.channels) = (rows, channels)
      x = testNumbers(rows * channels, "x", low: -2, high: 3)
      gamma = testNumbers(channels, "gamma", low: 0.5)
      beta = testNumbers(channels, "beta", low: 0.2)
      dy = testNumbers(rows * channels, "dy")
      runningMean = testNumbers(channels, "mean")
      runningVariance = testNumbers(channels, "variance", low: 0.1, high: 2)
    }
  }

  /// All gradients, with the input's written over the output's.
  struct Gradients {
    var input, gamma, beta: [Double]

    init<S: Scalar>(_ p: Point, _ activation: Activation, evaluation: Bool, _ scalar: S.Type) {
      let call = PointwiseBatchNormTests.Call<S>(p.x, p.rows, p.channels, p.gamma, p.beta)
      let mean = GuardedBlock<S>(p.runningMean)
      let variance = GuardedBlock<S>(p.runningVariance)
      let dx = GuardedBlock<S>(p.dy)
      let (dgamma, dbeta) = (GuardedBlock<S>(p.gamma), GuardedBlock<S>(p.gamma))
      if evaluation {
        call.infer(activation, mean: mean, variance: variance)
        batchNormInferenceGradient(
          input: call.input.block, output: activation == .relu ? call.output.block : nil,
          outputGradient: dx.block, rows: p.rows, channels: p.channels, gamma: call.gamma.block,
          runningMean: mean.block, runningVariance: variance.block, epsilon: 1e-5,
          activation: activation, into: dx.block, gammaGradient: dgamma.block,
          betaGradient: dbeta.block)
      } else {
        call.run(activation)
        batchNormGradient(
          input: call.input.block, output: activation == .relu ? call.output.block : nil,
          outputGradient: dx.block, rows: p.rows, channels: p.channels, gamma: call.gamma.block,
          mean: call.mean.block, inverseDeviation: call.inverse.block, activation: activation,
          into: dx.block, gammaGradient: dgamma.block, betaGradient: dbeta.block)
      }
      (input, gamma, beta) = (dx.numbers, dgamma.numbers, dbeta.numbers)
    }
  }

  private func value(
    _ p: Point, _ activation: Activation, evaluation: Bool, x: [Double], gamma: [Double],
    beta: [Double]
  ) -> Double {
    let call = PointwiseBatchNormTests.Call<Double>(x, p.rows, p.channels, gamma, beta)
    if evaluation {
      call.infer(
        activation, mean: GuardedBlock(p.runningMean), variance: GuardedBlock(p.runningVariance))
    } else {
      call.run(activation)
    }
    return dot(p.dy, call.output.numbers)
  }

  @Test(
    "all gradients agree with central differences", arguments: shapes.prefix(4), activations)
  func differences(shape: (Int, Int), activation: Activation) {
    let p = Point(rows: shape.0, channels: shape.1)
    for evaluation in [false, true] {
      let gradients = Gradients(p, activation, evaluation: evaluation, Double.self)
      let errors = [
        differenceError(p.x, gradient: gradients.input) {
          value(p, activation, evaluation: evaluation, x: $0, gamma: p.gamma, beta: p.beta)
        },
        differenceError(p.gamma, gradient: gradients.gamma) {
          value(p, activation, evaluation: evaluation, x: p.x, gamma: $0, beta: p.beta)
        },
        differenceError(p.beta, gradient: gradients.beta) {
          value(p, activation, evaluation: evaluation, x: p.x, gamma: p.gamma, beta: $0)
        },
      ]
      #expect(errors.allSatisfy { $0 < 1e-7 }, "\(shape) evaluation \(evaluation): \(errors)")
    }
  }

  @Test("Float's gradients agree with Double's", arguments: shapes, activations)
  func floats(shape: (Int, Int), activation: Activation) {
    let p = Point(rows: shape.0, channels: shape.1)
    for evaluation in [false, true] {
      let float = Gradients(p, activation, evaluation: evaluation, Float.self)
      let double = Gradients(p, activation, evaluation: evaluation, Double.self)
      // 70 products with rounded factors, amplified where rows are close to each other.
      expectClose(float.input, double.input, tolerance: 1e-4)
      expectClose(float.gamma, double.gamma, tolerance: 1e-4)
      expectClose(float.beta, double.beta, tolerance: 1e-5)
    }
  }

  @Test("no rows give zero parameter gradients")
  func noRows() {
    let gradients = Gradients(
      Point(rows: 0, channels: 5), .relu, evaluation: false, Float.self)
    #expect(gradients.gamma == [0, 0, 0, 0, 0])
    #expect(gradients.beta == [0, 0, 0, 0, 0])
  }
}
