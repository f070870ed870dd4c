import Graph
import Kernels
import Randomness
import Storage
import Testing

@Suite("Scaling and dropping channels")
struct ImagesChannelTests {
  static let shapes: [(images: Int, positions: Int, channels: Int)] = [
    (0, 4, 3), (1, 1, 1), (3, 7, 1), (2, 5, 3), (3, 67, 17), (2, 130, 31), (1, 3, 101), (2, 9, 64),
  ]

  private func scaled<S: Scalar>(
    _ x: [Double], _ s: [Double], _ shape: ChannelShape, _ images: Int, _ scalar: S.Type
  ) -> [Double] {
    let (input, scale) = (GuardedBlock<S>(x), GuardedBlock<S>(s))
    scaleChannels(
      shape, images: images, input: input.block, scale: scale.block, into: input.block)
    return input.numbers
  }

  private func reference(_ x: [Double], _ s: [Double], _ shape: ChannelShape) -> [Double] {
    x.indices.map { index in
      let image = index / shape.elementCount
      return x[index] * s[image * shape.channels + index % shape.channels]
    }
  }

  @Test("every channel of an image is multiplied by its number", arguments: shapes)
  func scale(images: Int, positions: Int, channels: Int) {
    let shape = ChannelShape(positions: positions, channels: channels)
    let x = rounded(testNumbers(images * shape.elementCount, "x"), as: Float.self)
    let s = rounded(testNumbers(images * channels, "s"), as: Float.self)
    let expected = reference(x, s, shape)
    // One product, rounded once.
    expectClose(scaled(x, s, shape, images, Double.self), expected, tolerance: 0)
    expectClose(
      scaled(x, s, shape, images, Float.self), expected, tolerance: epsilon(Float.self))
  }

  @Test("both gradients agree with central differences", arguments: [(1, 3, 5), (2, 11, 17)])
  func gradients(images: Int, positions: Int, channels: Int) {
    let shape = ChannelShape(positions: positions, channels: channels)
    let x = testNumbers(images * shape.elementCount, "x")
    let s = testNumbers(images * channels, "s")
    let dy = testNumbers(images * shape.elementCount, "dy")
    let dx = scaled(dy, s, shape, images, Double.self)
    let ds = GuardedBlock<Double>(count: s.count)
    let (input, gradient) = (GuardedBlock<Double>(x), GuardedBlock<Double>(dy))
    scaleChannelsGradient(
      shape, images: images, input: input.block, outputGradient: gradient.block, into: ds.block)
    let errors = [
      differenceError(x, gradient: dx) { dot(dy, reference($0, s, shape)) },
      differenceError(s, gradient: ds.numbers) { dot(dy, reference(x, $0, shape)) },
    ]
    #expect(errors.allSatisfy { $0 < 1e-7 }, "\(errors)")
  }

  @Test("the scale's gradient is the sum over the positions, in Float too", arguments: shapes)
  func scaleGradient(images: Int, positions: Int, channels: Int) {
    let shape = ChannelShape(positions: positions, channels: channels)
    let x = rounded(testNumbers(images * shape.elementCount, "x"), as: Float.self)
    let dy = rounded(testNumbers(images * shape.elementCount, "dy"), as: Float.self)
    let (input, gradient) = (GuardedBlock<Float>(x), GuardedBlock<Float>(dy))
    let ds = GuardedBlock<Float>(count: images * channels)
    scaleChannelsGradient(
      shape, images: images, input: input.block, outputGradient: gradient.block, into: ds.block)
    let expected = (0..<images * channels).map { index in
      (0..<positions).reduce(0.0) { sum, position in
        let element =
          index / channels * shape.elementCount + position * channels + index % channels
        return sum + x[element] * dy[element]
      }
    }
    // Sums of up to 130 products of size 1.
    expectClose(ds.numbers, expected, tolerance: 130 * epsilon(Float.self))
  }

  @Test("a bias is added to every row", arguments: oddShapes)
  func bias(rows: Int, channels: Int) {
    let x = testNumbers(rows * channels, "x")
    let b = testNumbers(channels, "b")
    let (input, bias) = (GuardedBlock<Double>(x), GuardedBlock<Double>(b))
    addChannelBias(
      input.block, rows: rows, channels: channels, bias: bias.block, into: input.block)
    let expected: [Double] = x.indices.map { x[$0] + b[$0 % channels] }
    #expect(input.numbers == expected)
  }

  private func dropped<S: Scalar>(
    _ x: [Double], _ shape: ChannelShape, first: Int, step: UInt64, _ scalar: S.Type
  ) -> [Double] {
    let (input, scratch) = (GuardedBlock<S>(x), GuardedBlock<S>(count: shape.channels))
    channelDropout(
      shape, images: x.count / max(shape.elementCount, 1), input: input.block, rate: 0.25,
      stream: Philox(seed: 3, purpose: "test"), step: step, firstSample: UInt64(first),
      into: input.block, scratch: scratch.block)
    _ = scratch.numbers
    return input.numbers
  }

  @Test("a channel of a sample is dropped or kept as a whole, as dropout says", arguments: shapes)
  func dropout(images: Int, positions: Int, channels: Int) {
    let shape = ChannelShape(positions: positions, channels: channels)
    let x = testNumbers(images * shape.elementCount, "x")
    let mask = GuardedBlock<Double>([Double](repeating: 1, count: images * channels))
    Kernels.dropout(
      input: mask.block, rows: images, channels: channels, rate: 0.25,
      stream: Philox(seed: 3, purpose: "test"), step: 9, firstSample: 5, into: mask.block)
    let expected = reference(x, mask.numbers, shape)
    #expect(dropped(x, shape, first: 5, step: 9, Double.self) == expected)
    expectClose(
      dropped(x, shape, first: 5, step: 9, Float.self), expected,
      tolerance: 4 * epsilon(Float.self))
  }

  @Test("the mask belongs to the sample, and the mean stays")
  func masks() {
    let shape = ChannelShape(positions: 2, channels: 1)
    let ones = [Double](repeating: 1, count: 20_000)
    let all = dropped(ones, shape, first: 0, step: 1, Double.self)
    let tail = dropped(Array(ones[6000...]), shape, first: 3000, step: 1, Double.self)
    #expect(Array(all[6000...]) == tail)
    #expect(all != dropped(ones, shape, first: 0, step: 2, Double.self))
    // 10,000 samples with deviation sqrt(0.25 / 0.75) = 0.58 each.
    let mean = all.reduce(0, +) / 20_000
    #expect(abs(mean - 1) < 0.029, "\(mean)")
  }

  @Test("prelu and its gradients", arguments: [(1, 1), (5, 3), (67, 17), (3, 101)], [true, false])
  func prelu(shape: (Int, Int), isShared: Bool) {
    let (rows, channels) = shape
    let x = testNumbers(rows * channels, "x")
    let dy = testNumbers(rows * channels, "dy")
    let a = testNumbers(isShared ? 1 : channels, "a")
    func reference(_ x: [Double], _ a: [Double]) -> [Double] {
      x.indices.map { index -> Double in
        let slope = a[isShared ? 0 : index % channels]
        return x[index] > 0 ? x[index] : slope * x[index]
      }
    }
    let (input, slope) = (GuardedBlock<Double>(x), GuardedBlock<Double>(a))
    let output = GuardedBlock<Double>(count: x.count)
    Kernels.prelu(
      input: input.block, rows: rows, channels: channels, slope: slope.block, into: output.block)
    #expect(output.numbers == reference(x, a))
    let (dx, da) = (GuardedBlock<Double>(dy), GuardedBlock<Double>(count: a.count))
    let scratch = GuardedBlock<Double>(count: channels)
    preluGradient(
      input: input.block, outputGradient: dx.block, rows: rows, channels: channels,
      slope: slope.block, into: dx.block, slopeGradient: da.block, scratch: scratch.block)
    let errors = [
      differenceError(x, gradient: dx.numbers) { dot(dy, reference($0, a)) },
      differenceError(a, gradient: da.numbers) { dot(dy, reference(x, $0)) },
    ]
    #expect(errors.allSatisfy { $0 < 1e-7 }, "\(errors)")
  }
}
