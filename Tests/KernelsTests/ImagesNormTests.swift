import Graph
import Kernels
import Randomness
import Storage
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite("Norms of images")
struct ImagesNormTests {
  struct Case: Sendable {
    var images: Int
    var shape: GroupNormShape

    init(_ images: Int, _ positions: Int, _ channels: Int, _ groups: Int) {
      self.images = images
      shape = GroupNormShape(
        positions: positions, channels: channels, groups: groups, epsilon: 1e-5)
    }

    var count: Int { images * shape.positions * shape.channels }
  }

  static let cases = [
    Case(0, 4, 3, 3), Case(1, 5, 1, 1), Case(2, 7, 6, 3), Case(3, 67, 17, 1), Case(2, 9, 17, 17),
    Case(2, 66, 32, 4), Case(1, 3, 102, 2), Case(3, 1, 10, 2),
  ]

  private func groupNormReference(
    _ x: [Double], _ example: Case, _ gamma: [Double], _ beta: [Double]
  ) -> [Double] {
    let shape = example.shape
    var y = x
    for image in 0..<example.images {
      for group in 0..<shape.groups {
        let elements = (0..<shape.positions * shape.channels)
          .filter { $0 % shape.channels / shape.width == group }
          .map { image * shape.positions * shape.channels + $0 }
        let count = Double(elements.count)
        let mean = elements.reduce(0) { $0 + x[$1] } / count
        let variance = elements.reduce(0) { $0 + (x[$1] - mean) * (x[$1] - mean) } / count
        for element in elements {
          let channel = element % shape.channels
          y[element] =
            (x[element] - mean) / (variance + shape.epsilon).squareRoot() * gamma[channel]
            + beta[channel]
        }
      }
    }
    return y
  }

  private struct Norm<S: Scalar> {
    var output: GuardedBlock<S>
    var mean: GuardedBlock<S>
    var inverse: GuardedBlock<S>
    var scratch: GuardedBlock<S>

    init(
      _ x: [Double], _ example: Case, gamma: GuardedBlock<S>?, beta: GuardedBlock<S>?
    ) {
      let groups = example.images * example.shape.groups
      output = GuardedBlock<S>(x)
      (mean, inverse) = (GuardedBlock(count: groups), GuardedBlock(count: groups))
      scratch = GuardedBlock(count: groupNormScratchCount(example.shape, of: S.self))
      groupNorm(
        example.shape, images: example.images, input: output.block, gamma: gamma?.block,
        beta: beta?.block, into: output.block, mean: mean.block, inverseDeviation: inverse.block,
        scratch: scratch.block)
      _ = (mean.numbers, inverse.numbers, scratch.numbers)
    }
  }

  private func checkForward<S: Scalar>(_ example: Case, _ scalar: S.Type) {
    let channels = example.shape.channels
    let x = rounded(testNumbers(example.count, "x", low: -2, high: 3), as: S.self)
    let gamma = rounded(testNumbers(channels, "gamma", low: 0.5), as: S.self)
    let beta = rounded(testNumbers(channels, "beta"), as: S.self)
    let result = Norm<S>(x, example, gamma: GuardedBlock(gamma), beta: GuardedBlock(beta))
    expectClose(
      result.output.numbers, groupNormReference(x, example, gamma, beta),
      tolerance: 64 * epsilon(S.self))
    let plain = Norm<S>(x, example, gamma: nil, beta: nil)
    let ones = [Double](repeating: 1, count: channels)
    let zeros = [Double](repeating: 0, count: channels)
    expectClose(
      plain.output.numbers, groupNormReference(x, example, ones, zeros),
      tolerance: 64 * epsilon(S.self))
    guard example.images > 1 else { return }
    var one = example
    one.images = 1
    let last = Norm<S>(
      Array(x[(example.count - one.count)...]), one, gamma: nil, beta: nil)
    #expect(
      last.output.numbers == Array(plain.output.numbers[(example.count - one.count)...]),
      "images depend on each other")
  }

  @Test("group norm equals its definition, with and without scale", arguments: cases)
  func groupNormForward(example: Case) {
    checkForward(example, Float.self)
    checkForward(example, Double.self)
  }

  private func gradients<S: Scalar>(
    _ x: [Double], _ dy: [Double], _ example: Case, _ gamma: [Double]?, _ scalar: S.Type
  ) -> (input: [Double], gamma: [Double], beta: [Double]) {
    let channels = example.shape.channels
    let scale = gamma.map { GuardedBlock<S>($0) }
    let norm = Norm<S>(x, example, gamma: scale, beta: scale)
    let (input, gradient) = (GuardedBlock<S>(x), GuardedBlock<S>(dy))
    let dx = GuardedBlock<S>(count: x.count)
    let (dgamma, dbeta) = (GuardedBlock<S>(count: channels), GuardedBlock<S>(count: channels))
    groupNormGradient(
      example.shape, images: example.images, input: input.block, outputGradient: gradient.block,
      gamma: scale?.block, mean: norm.mean.block, inverseDeviation: norm.inverse.block,
      into: dx.block, gammaGradient: scale == nil ? nil : dgamma.block,
      betaGradient: scale == nil ? nil : dbeta.block, scratch: norm.scratch.block)
    return (dx.numbers, dgamma.numbers, dbeta.numbers)
  }

  @Test("all gradients of group norm agree with central differences", arguments: cases[1...])
  func groupNormGradients(example: Case) {
    let channels = example.shape.channels
    let x = testNumbers(example.count, "x", low: -2, high: 3)
    let dy = testNumbers(example.count, "dy")
    let gamma = testNumbers(channels, "gamma", low: 0.5)
    let beta = testNumbers(channels, "beta")
    let ones = [Double](repeating: 1, count: channels)
    let result = gradients(x, dy, example, gamma, Double.self)
    let plain = gradients(x, dy, example, nil, Double.self)
    let errors = [
      differenceError(x, gradient: result.input) {
        dot(dy, groupNormReference($0, example, gamma, beta))
      },
      differenceError(gamma, gradient: result.gamma) {
        dot(dy, groupNormReference(x, example, $0, beta))
      },
      differenceError(beta, gradient: result.beta) {
        dot(dy, groupNormReference(x, example, gamma, $0))
      },
      differenceError(x, gradient: plain.input) {
        dot(dy, groupNormReference($0, example, ones, beta))
      },
    ]
    #expect(errors.allSatisfy { $0 < 1e-7 }, "\(errors)")
    let float = gradients(x, dy, example, gamma, Float.self)
    expectClose(float.input, result.input, tolerance: 2e-5)
    expectClose(float.gamma, result.gamma, tolerance: 2e-5)
    expectClose(float.beta, result.beta, tolerance: 2e-5)
  }

  private func responseReference(_ x: [Double], _ window: ResponseWindow) -> [Double] {
    x.indices.map { index in
      let (row, channel) = (index / window.channels, index % window.channels)
      let neighbours = (channel - window.size / 2)...(channel + (window.size - 1) / 2)
      let sum = neighbours.filter { (0..<window.channels).contains($0) }.reduce(0.0) {
        $0 + x[row * window.channels + $1] * x[row * window.channels + $1]
      }
      return x[index]
        / pow(window.k + window.alpha / Double(window.size) * sum, window.beta)
    }
  }

  private func response<S: Scalar>(
    _ x: [Double], _ dy: [Double], _ window: ResponseWindow, _ scalar: S.Type
  ) -> (output: [Double], gradient: [Double]) {
    let rows = x.count / window.channels
    let (input, gradient) = (GuardedBlock<S>(x), GuardedBlock<S>(dy))
    let (output, base) = (GuardedBlock<S>(count: x.count), GuardedBlock<S>(count: x.count))
    let scratch = GuardedBlock<S>(count: localResponseNormScratchCount(window, of: S.self))
    localResponseNorm(
      window, rows: rows, input: input.block, into: output.block, base: base.block,
      scratch: scratch.block)
    let dx = GuardedBlock<S>(count: x.count)
    localResponseNormGradient(
      window, rows: rows, input: input.block, base: base.block, outputGradient: gradient.block,
      into: dx.block, scratch: scratch.block)
    _ = scratch.numbers
    return (output.numbers, dx.numbers)
  }

  @Test(
    "local response norm equals its definition, and its gradient central differences",
    arguments: [(1, 1, 1), (3, 7, 5), (2, 16, 4), (5, 17, 3), (2, 101, 5), (1, 3, 9), (0, 4, 3)])
  func localResponse(rows: Int, channels: Int, size: Int) {
    let window = ResponseWindow(channels: channels, size: size, alpha: 2, beta: 0.75, k: 1.5)
    let x = rounded(testNumbers(rows * channels, "x", low: -2, high: 3), as: Float.self)
    let dy = rounded(testNumbers(rows * channels, "dy"), as: Float.self)
    let double = response(x, dy, window, Double.self)
    let float = response(x, dy, window, Float.self)
    let expected = responseReference(x, window)
    // Sums of up to 9 squares below 9, a logarithm and an exponential.
    expectClose(double.output, expected, tolerance: 64 * epsilon(Double.self))
    expectClose(float.output, expected, tolerance: 64 * epsilon(Float.self))
    let error = differenceError(x, gradient: double.gradient) {
      dot(dy, responseReference($0, window))
    }
    #expect(error < 1e-7, "\(error)")
    expectClose(float.gradient, double.gradient, tolerance: 2e-5)
  }
}
