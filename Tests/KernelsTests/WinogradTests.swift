import Graph
import Kernels
import Testing

@Suite("Convolution by tiles")
struct WinogradTests {
  static let cases: [ConvolutionCase] = [
    .init("whole tiles", (8, 3), (12, 3), channels: (16, 32), padding: (1, 1, 1, 1)),
    .init("14 x 14, many channels", (14, 3), (14, 3), channels: (64, 70), padding: (1, 1, 1, 1)),
    .init("7 x 7", (7, 3), (7, 3), channels: (19, 33), padding: (1, 1, 1, 1), images: 9),
    .init("no padding", (9, 3), (10, 3), channels: (5, 7)),
    .init("uneven padding", (6, 3), (11, 3), channels: (3, 16), padding: (0, 2, 2, 1)),
    .init("one pixel", (1, 3), (1, 3), channels: (2, 3), padding: (1, 1, 1, 1)),
    .init("one row", (1, 3), (30, 3), channels: (1, 1), padding: (1, 1, 1, 1)),
    .init("no image", (5, 3), (5, 3), channels: (3, 4), padding: (1, 1, 1, 1), images: 0),
  ]

  @Test("equals plain loops in Double", arguments: cases)
  func double(problem: ConvolutionCase) {
    let problem = ConvolutionProblem<Double>(problem, algorithm: .winograd)
    expect(problem.convolve(bias: true), problem.forward(bias: true), 1e-14)
    expect(problem.convolveInputGradient(), problem.inputGradient(), 1e-14)
    expect(problem.convolveWeightGradient(), problem.weightGradient(), 1e-14)
  }

  @Test("is close to plain loops in Float", arguments: cases)
  func float(problem: ConvolutionCase) {
    let problem = ConvolutionProblem<Float>(problem, algorithm: .winograd)
    expect(problem.convolve(bias: true), problem.forward(bias: true), 4e-6)
    expect(problem.convolveInputGradient(), problem.inputGradient(), 4e-6)
    expect(problem.convolveWeightGradient(), problem.weightGradient(), 4e-6)
  }

  /// `||error|| / ||sum of magnitudes||`
  private func expect<S: Scalar>(_ result: [S], _ truth: Expectation, _ limit: Double) {
    let error = zip(result, truth.values).reduce(0) {
      $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1)
    }
    let size = truth.magnitudes.reduce(0) { $0 + $1 * $1 }
    let share = size > 0 ? (error / size).squareRoot() : 0
    #expect(share < limit && result.allSatisfy(\.isFinite), "\(share)")
  }
}
