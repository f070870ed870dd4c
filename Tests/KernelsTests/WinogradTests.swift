import Graph
import Kernels
import Testing

@Suite("Convolution by tiles")
struct WinogradTests {
  /// Images of which tiles of 4 x 4 outputs waste most.
  static let smallTiles: [ConvolutionCase] =
    [(1, 1), (2, 1), (1, 30), (2, 2), (2, 5), (5, 2), (5, 5), (6, 6), (6, 5)].map { size in
      .init(
        "\(size.0) x \(size.1)", (size.0, 3), (size.1, 3), channels: (7, 18),
        padding: (1, 1, 1, 1), images: 3)
    } + [
      .init("no padding to 2 x 6", (4, 3), (8, 3), channels: (5, 7)),
      .init("uneven padding to 6 x 5", (6, 3), (5, 3), channels: (3, 16), padding: (0, 2, 2, 0)),
      .init("no image", (5, 3), (5, 3), channels: (3, 4), padding: (1, 1, 1, 1), images: 0),
    ]

  static let largeTiles: [ConvolutionCase] =
    [(3, 3), (4, 4), (3, 4), (4, 6), (7, 7), (9, 11)].map { size in
      .init(
        "\(size.0) x \(size.1)", (size.0, 3), (size.1, 3), channels: (19, 33),
        padding: (1, 1, 1, 1), images: 5)
    } + [
      .init("whole tiles", (8, 3), (12, 3), channels: (16, 32), padding: (1, 1, 1, 1)),
      .init("many channels", (14, 3), (14, 3), channels: (64, 70), padding: (1, 1, 1, 1)),
      .init("no padding", (9, 3), (10, 3), channels: (5, 7)),
      .init("uneven padding", (6, 3), (11, 3), channels: (3, 16), padding: (0, 2, 2, 1)),
      .init("wide padding", (3, 3), (6, 3), channels: (1, 1), padding: (2, 2, 2, 2), images: 30),
    ]

  @Test("tiles have the size with the fewest products, the smaller where both have as many")
  func size() {
    for (problems, size) in [(Self.smallTiles, "2x2"), (Self.largeTiles, "4x4")] {
      for problem in problems {
        let plan = ConvolutionProblem<Float>(problem, algorithm: .winograd).plan
        #expect(plan.description.hasPrefix("winograd \(size)"), "\(problem)")
      }
    }
  }

  @Test("equals plain loops in Double", arguments: smallTiles + largeTiles)
  func double(problem: ConvolutionCase) {
    check(ConvolutionProblem<Double>(problem, algorithm: .winograd), small: 1e-15, large: 1e-15)
  }

  /// The largest errors seen are 6e-8 with tiles of 2 x 2 outputs, 3e-7 with 4 x 4.
  @Test("is close to plain loops in Float", arguments: smallTiles + largeTiles)
  func float(problem: ConvolutionCase) {
    check(ConvolutionProblem<Float>(problem, algorithm: .winograd), small: 1e-7, large: 5e-7)
  }

  private func check<S: Scalar>(
    _ problem: ConvolutionProblem<S>, small: Double, large: Double
  ) {
    let description = problem.plan.description
    let forward = description.hasPrefix("winograd 2x2") ? small : large
    expect(problem.convolve(bias: true), problem.forward(bias: true), forward)
    expect(problem.convolveWeightGradient(), problem.weightGradient(), forward)
    let byData = description.hasSuffix("by data 2x2") ? small : large
    expect(problem.convolveInputGradient(), problem.inputGradient(), byData)
  }

  /// `||error|| / ||sums of magnitudes||`
  private func expect<S: Scalar>(_ result: [S], _ truth: Expectation, _ limit: Double) {
    let error = zip(result, truth.values).reduce(0) {
      $0 + (Double($1.0) - $1.1) * (Double($1.0) - $1.1)
    }
    let size = truth.magnitudes.reduce(0) { $0 + $1 * $1 }
    let share = size > 0 ? (error / size).squareRoot() : 0
    #expect(share < limit && result.allSatisfy(\.isFinite), "\(share)")
  }

  @Test("the numbers of one image do not depend on the others", arguments: [(5, 5), (9, 11)])
  func alone(size: (Int, Int)) {
    var problem = ConvolutionCase(
      "", (size.0, 3), (size.1, 3), channels: (19, 33), padding: (1, 1, 1, 1), images: 40)
    let many = ConvolutionProblem<Float>(problem, algorithm: .winograd)
    problem.images = 1
    let (outputs, gradients) = (many.convolve(bias: true), many.convolveInputGradient())
    for image in [0, 1, 17, 39] {
      let one = ConvolutionProblem<Float>(problem, algorithm: .winograd)
      copy(many.input.block.array, image, to: one.input)
      copy(many.outputGradient.block.array, image, to: one.outputGradient)
      #expect(one.convolve(bias: true) == part(outputs, image, one.outputGradient.block.count))
      #expect(one.convolveInputGradient() == part(gradients, image, one.input.block.count))
    }
  }

  private func part(_ numbers: [Float], _ image: Int, _ count: Int) -> [Float] {
    Array(numbers[(image * count)..<((image + 1) * count)])
  }

  private func copy(_ numbers: [Float], _ image: Int, to block: FencedBlock<Float>) {
    let source = part(numbers, image, block.block.count)
    for index in source.indices { block.block[index] = source[index] }
  }

  @Test(
    "auto takes tiles where they pay",
    arguments: [
      (1, 32, 28, false), (3, 16, 32, false), (16, 16, 32, true), (32, 32, 28, true),
      (32, 64, 14, true), (64, 64, 14, true), (64, 64, 56, true), (128, 128, 7, true),
      (512, 512, 2, false), (64, 10, 1, false),
    ])
  func auto(inputs: Int, outputs: Int, size: Int, byTiles: Bool) {
    let axis = WindowAxis(input: size, kernel: 3, padBefore: 1, padAfter: 1)
    let geometry = ConvolutionGeometry(
      vertical: axis, horizontal: axis, inputChannels: inputs, outputChannels: outputs)
    #expect(ConvolutionPlan(geometry).description.hasPrefix(byTiles ? "winograd" : "direct"))
  }
}
