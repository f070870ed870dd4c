import Graph
import Kernels
import Testing

/// One convolution of the tests, with a name that says what is odd about it.
struct ConvolutionCase: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var geometry: ConvolutionGeometry
  var images: Int

  init(
    _ name: String, _ height: (input: Int, kernel: Int), _ width: (input: Int, kernel: Int),
    channels: (Int, Int), stride: (Int, Int) = (1, 1), padding: (Int, Int, Int, Int) = (0, 0, 0, 0),
    dilation: (Int, Int) = (1, 1), groups: Int = 1, images: Int = 2
  ) {
    testDescription = name
    self.images = images
    geometry = ConvolutionGeometry(
      vertical: WindowAxis(
        input: height.input, kernel: height.kernel, stride: stride.0, padBefore: padding.0,
        padAfter: padding.1, dilation: dilation.0),
      horizontal: WindowAxis(
        input: width.input, kernel: width.kernel, stride: stride.1, padBefore: padding.2,
        padAfter: padding.3, dilation: dilation.1),
      inputChannels: channels.0, outputChannels: channels.1, groups: groups)
  }

  static let all: [ConvolutionCase] = [
    .init("3x3 same", (9, 3), (11, 3), channels: (16, 16), padding: (1, 1, 1, 1)),
    .init("3x3 valid, many channels", (6, 3), (31, 3), channels: (33, 70)),
    .init("5x5 same, one channel", (12, 5), (13, 5), channels: (1, 6), padding: (2, 2, 2, 2)),
    .init("5x5 same, six channels", (9, 5), (14, 5), channels: (6, 16), padding: (2, 2, 2, 2)),
    .init("5x5 valid, six channels", (14, 5), (14, 5), channels: (6, 16), images: 3),
    .init("5x5 valid, three to six channels", (16, 5), (17, 5), channels: (3, 6)),
    .init("3x3 to one channel", (9, 3), (23, 3), channels: (32, 1), padding: (1, 1, 1, 1)),
    .init("9x9 to three channels", (13, 9), (21, 9), channels: (8, 3), padding: (4, 4, 4, 4)),
    .init(
      "3x3 to two channels, stride 2", (11, 3), (40, 3), channels: (4, 2), stride: (2, 2),
      padding: (1, 1, 1, 1)),
    .init(
      "5x3 to four channels, stride 2 down, more padding than reach", (13, 5), (26, 3),
      channels: (2, 4), stride: (2, 1), padding: (2, 3, 4, 5)),
    .init(
      "3x3 to two channels, dilation 2", (10, 3), (33, 3), channels: (3, 2),
      padding: (2, 2, 2, 2), dilation: (2, 2)),
    .init("7x7 to eight channels", (12, 7), (30, 7), channels: (1, 8), padding: (3, 3, 3, 3)),
    .init("1x9 to one channel, a long line", (1, 1), (300, 9), channels: (5, 1), images: 1),
    .init("lines too long for a block of them", (13, 3), (500, 3), channels: (2, 1), images: 1),
    .init("no image", (5, 3), (5, 3), channels: (3, 4), padding: (1, 1, 1, 1), images: 0),
    .init("one pixel", (1, 1), (1, 1), channels: (1, 1), images: 1),
    .init("one pixel under 3x3", (1, 3), (1, 3), channels: (2, 3), padding: (1, 1, 1, 1)),
    .init(
      "4x4 images, many of them", (4, 3), (4, 3), channels: (5, 17), padding: (1, 1, 1, 1),
      images: 19),
    .init("1x1", (7, 1), (5, 1), channels: (19, 35)),
    .init("1x1, stride 2", (7, 1), (8, 1), channels: (19, 35), stride: (2, 2)),
    .init("1x1 with padding", (4, 1), (4, 1), channels: (3, 5), padding: (1, 0, 2, 1)),
    .init(
      "3x3, stride 2", (13, 3), (14, 3), channels: (7, 18), stride: (2, 2), padding: (1, 1, 1, 1)),
    .init(
      "3x3, stride 3 and 2", (13, 3), (29, 3), channels: (4, 9), stride: (3, 2),
      padding: (0, 2, 1, 0)),
    .init(
      "2x2, stride 3: inputs that no window reads", (11, 2), (10, 2), channels: (3, 5),
      stride: (3, 3)),
    .init(
      "7x7, stride 2, three channels", (19, 7), (18, 7), channels: (3, 20), stride: (2, 2),
      padding: (3, 3, 3, 3)),
    .init(
      "dilation 2", (11, 3), (12, 3), channels: (6, 8), padding: (2, 2, 2, 2), dilation: (2, 2)),
    .init(
      "dilation 2, stride 2", (12, 3), (13, 3), channels: (5, 7), stride: (2, 2),
      padding: (2, 2, 2, 2), dilation: (2, 2)),
    .init(
      "dilation 3 and 2, stride 2 and 3", (17, 3), (19, 4), channels: (2, 3), stride: (2, 3),
      padding: (3, 1, 0, 2), dilation: (3, 2)),
    .init(
      "asymmetric padding, uneven kernel", (8, 4), (9, 2), channels: (3, 33), padding: (0, 3, 1, 0)),
    .init("padding wider than the image", (2, 3), (3, 5), channels: (2, 4), padding: (3, 4, 6, 5)),
    .init("two groups", (9, 3), (9, 3), channels: (8, 34), padding: (1, 1, 1, 1), groups: 2),
    .init(
      "three groups, stride 2", (9, 3), (10, 3), channels: (9, 6), stride: (2, 2),
      padding: (1, 1, 1, 1), groups: 3),
    .init("depthwise", (9, 3), (15, 3), channels: (20, 20), padding: (1, 1, 1, 1), groups: 20),
    .init("depthwise 7x7", (9, 7), (8, 7), channels: (35, 35), padding: (3, 3, 3, 3), groups: 35),
    .init(
      "depthwise, stride 2, dilation 2", (11, 3), (12, 3), channels: (16, 16), stride: (2, 2),
      padding: (2, 2, 2, 2), dilation: (2, 2), groups: 16),
    .init(
      "depthwise times three", (6, 3), (7, 3), channels: (5, 15), padding: (1, 1, 1, 1), groups: 5),
    .init("one row: a sequence", (1, 1), (40, 5), channels: (12, 24), padding: (0, 0, 4, 0)),
    .init(
      "28x28 to 64 channels", (28, 3), (28, 3), channels: (32, 64), padding: (1, 1, 1, 1), images: 1
    ),
  ]
}

/// The operands of a convolution and what plain loops make of them.
struct ConvolutionProblem<S: Scalar> {
  let geometry: ConvolutionGeometry
  let images: Int
  let plan: ConvolutionPlan
  let input: FencedBlock<S>
  let weights: FencedBlock<S>
  let bias: FencedBlock<S>
  let outputGradient: FencedBlock<S>

  init(_ problem: ConvolutionCase, algorithm: ConvolutionAlgorithm = .direct) {
    var geometry = problem.geometry
    geometry.algorithm = algorithm
    self.geometry = geometry
    images = problem.images
    plan = ConvolutionPlan(geometry)
    input = FencedBlock(samples(images * geometry.inputCount, seed: 1))
    weights = FencedBlock(samples(geometry.weightCount, seed: 2))
    bias = FencedBlock(samples(geometry.outputChannels, seed: 3))
    outputGradient = FencedBlock(samples(images * geometry.outputCount, seed: 4))
  }

  /// Calls `visit` with the places in input, weights and output of every multiply-add.
  func forEachProduct(_ visit: (Int, Int, Int) -> Void) {
    let (v, h) = (geometry.vertical, geometry.horizontal)
    let (inPerGroup, outPerGroup) = (
      geometry.inputChannelsPerGroup, geometry.outputChannelsPerGroup
    )
    for n in 0..<images {
      for (oy, ox) in grid(v.output, h.output) {
        for (ty, tx) in grid(v.kernel, h.kernel) {
          let y = oy * v.stride - v.padBefore + ty * v.dilation
          let x = ox * h.stride - h.padBefore + tx * h.dilation
          guard (0..<v.input).contains(y), (0..<h.input).contains(x) else { continue }
          for (co, c) in grid(geometry.outputChannels, inPerGroup) {
            let ci = co / outPerGroup * inPerGroup + c
            visit(
              ((n * v.input + y) * h.input + x) * geometry.inputChannels + ci,
              ((ty * h.kernel + tx) * inPerGroup + c) * geometry.outputChannels + co,
              ((n * v.output + oy) * h.output + ox) * geometry.outputChannels + co)
          }
        }
      }
    }
  }

  private func grid(_ rows: Int, _ columns: Int) -> [(Int, Int)] {
    (0..<rows).flatMap { row in (0..<columns).map { (row, $0) } }
  }

  func forward(bias hasBias: Bool) -> Expectation {
    let (x, w) = (input.block.array.map(Double.init), weights.block.array.map(Double.init))
    let start = (0..<outputGradient.block.count).map {
      hasBias ? Double(bias.block[$0 % geometry.outputChannels]) : 0
    }
    var result = Expectation(values: start, magnitudes: start.map(abs))
    forEachProduct { result.add(x[$0] * w[$1], to: $2) }
    return result
  }

  func inputGradient() -> Expectation {
    let (dy, w) = (
      outputGradient.block.array.map(Double.init), weights.block.array.map(Double.init)
    )
    var result = Expectation(zeros: input.block.count)
    forEachProduct { result.add(dy[$2] * w[$1], to: $0) }
    return result
  }

  func weightGradient() -> Expectation {
    let (dy, x) = (outputGradient.block.array.map(Double.init), input.block.array.map(Double.init))
    var result = Expectation(zeros: weights.block.count)
    forEachProduct { result.add(dy[$2] * x[$0], to: $1) }
    return result
  }
}

extension Expectation {
  init(zeros count: Int) {
    self.init(
      values: [Double](repeating: 0, count: count),
      magnitudes: [Double](repeating: 0, count: count))
  }

  mutating func add(_ product: Double, to index: Int) {
    values[index] += product
    magnitudes[index] += abs(product)
  }
}

extension ConvolutionProblem {
  func convolve(bias hasBias: Bool) -> [S] {
    let output = FencedBlock<S>(count: outputGradient.block.count)
    let scratch = FencedBlock<S>(count: convolutionScratchCount(plan, images: images, of: S.self))
    Kernels.convolve(
      plan, images: images, input: input.block, weights: weights.block,
      bias: hasBias ? bias.block : nil, into: output.block, scratch: scratch.block)
    #expect(output.fencesStand && scratch.fencesStand)
    return output.block.array
  }

  func convolveInputGradient() -> [S] {
    let result = FencedBlock<S>(count: input.block.count)
    let scratch = FencedBlock<S>(
      count: convolutionInputGradientScratchCount(plan, images: images, of: S.self))
    Kernels.convolveInputGradient(
      plan, images: images, outputGradient: outputGradient.block, weights: weights.block,
      into: result.block, scratch: scratch.block)
    #expect(result.fencesStand && scratch.fencesStand)
    return result.block.array
  }

  func convolveWeightGradient() -> [S] {
    let result = FencedBlock<S>(count: weights.block.count)
    let scratch = FencedBlock<S>(
      count: convolutionWeightGradientScratchCount(plan, images: images, of: S.self))
    Kernels.convolveWeightGradient(
      plan, images: images, input: input.block, outputGradient: outputGradient.block,
      into: result.block, scratch: scratch.block)
    #expect(result.fencesStand && scratch.fencesStand)
    return result.block.array
  }
}
