import Graph
import Kernels
import Storage
import Testing

@Suite("Pooling")
struct PointwisePoolTests {
  /// (height, width, kernel, stride, padding before and after, dilation), channels
  static let geometries: [PoolGeometry] = [
    geometry(4, 6, kernel: 2, stride: 2, channels: 16),
    geometry(5, 7, kernel: 2, stride: 2, channels: 3),
    geometry(7, 7, kernel: 3, stride: 2, pad: (1, 1), channels: 17),
    geometry(6, 5, kernel: 3, stride: 1, pad: (1, 1), channels: 1),
    geometry(5, 5, kernel: 2, stride: 1, pad: (0, 1), channels: 40),
    geometry(8, 8, kernel: 2, stride: 3, channels: 5),
    geometry(9, 9, kernel: 2, stride: 2, pad: (1, 1), dilation: 3, channels: 7),
    geometry(1, 1, kernel: 1, stride: 1, channels: 2),
    geometry(3, 3, kernel: 3, stride: 3, channels: 33),
    geometry(8, 6, kernel: 2, stride: 2, channels: 6),
    geometry(7, 9, kernel: 2, stride: 2, pad: (1, 0), channels: 6),
    geometry(9, 13, kernel: 3, stride: 3, pad: (1, 1), channels: 10),
    geometry(6, 4, kernel: 2, stride: 2, channels: 1),
  ]

  private static func geometry(
    _ height: Int, _ width: Int, kernel: Int, stride: Int, pad: (Int, Int) = (0, 0),
    dilation: Int = 1, channels: Int
  ) -> PoolGeometry {
    func axis(_ input: Int) -> WindowAxis {
      WindowAxis(
        input: input, kernel: kernel, stride: stride, padBefore: pad.0, padAfter: pad.1,
        dilation: dilation)
    }
    return PoolGeometry(vertical: axis(height), horizontal: axis(width), channels: channels)
  }

  /// The input elements of every output element's window, in window order.
  private func windows(_ g: PoolGeometry, images: Int) -> [[Int]] {
    var all: [[Int]] = []
    for n in 0..<images {
      for y in 0..<g.vertical.output {
        for x in 0..<g.horizontal.output {
          for c in 0..<g.channels {
            var taps: [Int] = []
            for i in 0..<g.vertical.kernel {
              for j in 0..<g.horizontal.kernel {
                let row = y * g.vertical.stride - g.vertical.padBefore + i * g.vertical.dilation
                let column =
                  x * g.horizontal.stride - g.horizontal.padBefore + j * g.horizontal.dilation
                guard (0..<g.vertical.input).contains(row),
                  (0..<g.horizontal.input).contains(column)
                else { continue }
                let position = (n * g.vertical.input + row) * g.horizontal.input + column
                taps.append(position * g.channels + c)
              }
            }
            all.append(taps)
          }
        }
      }
    }
    return all
  }

  /// Few different numbers, so that windows have equal ones.
  private func pixels(_ count: Int) -> [Double] {
    testNumbers(count, "pixels", low: -4, high: 4).map { $0.rounded() }
  }

  private func checkMax<S: Scalar>(_ g: PoolGeometry, _ images: Int, _ scalar: S.Type) {
    let x = pixels(images * g.inputCount)
    let windows = windows(g, images: images)
    let (input, output) = (GuardedBlock<S>(x), GuardedBlock<S>(count: images * g.outputCount))
    maxPool(g, images: images, input: input.block, into: output.block)
    #expect(output.numbers == windows.map { taps in taps.map { x[$0] }.max() ?? 0 })

    let dy = rounded(testNumbers(output.block.count, "dy"), as: S.self)
    var expected = [Double](repeating: 0, count: x.count)
    for (output, taps) in windows.enumerated() {
      guard let most = taps.map({ x[$0] }).max() else { continue }
      if let winner = taps.first(where: { x[$0] == most }) { expected[winner] += dy[output] }
    }
    let (gradient, dx) = (GuardedBlock<S>(dy), GuardedBlock<S>(count: x.count))
    maxPoolGradient(
      g, images: images, input: input.block, outputGradient: gradient.block, into: dx.block)
    // Up to nine windows add up in one element.
    expectClose(dx.numbers, expected, tolerance: 8 * epsilon(S.self))
  }

  @Test(
    "the largest of each window wins, and the first of equals gets the gradient",
    arguments: geometries, [0, 1, 3])
  func largest(g: PoolGeometry, images: Int) {
    checkMax(g, images, Float.self)
    checkMax(g, images, Double.self)
  }

  private func checkAverage<S: Scalar>(_ g: PoolGeometry, _ images: Int, _ scalar: S.Type) {
    let x = rounded(testNumbers(images * g.inputCount, "pixels"), as: S.self)
    let windows = windows(g, images: images)
    let taps = Double(g.vertical.kernel * g.horizontal.kernel)
    let shares = windows.map { 1 / (g.countsPadding ? taps : Double(max($0.count, 1))) }
    let (input, output) = (GuardedBlock<S>(x), GuardedBlock<S>(count: images * g.outputCount))
    averagePool(g, images: images, input: input.block, into: output.block)
    let means = zip(windows, shares).map { taps, share in
      taps.reduce(0) { $0 + x[$1] } * share
    }
    expectClose(output.numbers, means, tolerance: 8 * epsilon(S.self))

    let dy = rounded(testNumbers(output.block.count, "dy"), as: S.self)
    var expected = [Double](repeating: 0, count: x.count)
    for (output, taps) in windows.enumerated() {
      for tap in taps { expected[tap] += dy[output] * shares[output] }
    }
    let (gradient, dx) = (GuardedBlock<S>(dy), GuardedBlock<S>(count: x.count))
    averagePoolGradient(g, images: images, outputGradient: gradient.block, into: dx.block)
    expectClose(dx.numbers, expected, tolerance: 8 * epsilon(S.self))
  }

  @Test("averages divide by all taps or by those inside", arguments: geometries, [0, 1, 3])
  func averages(g: PoolGeometry, images: Int) {
    for counts in [true, false] {
      var g = g
      g.countsPadding = counts
      checkAverage(g, images, Float.self)
      checkAverage(g, images, Double.self)
    }
  }

  @Test("pooling's gradients agree with central differences", arguments: geometries)
  func differences(g: PoolGeometry) {
    let x = testNumbers(g.inputCount, "pixels")
    let dy = testNumbers(g.outputCount, "dy")
    let (gradient, input) = (GuardedBlock<Double>(dy), GuardedBlock<Double>(x))
    let (dx, dxMean) = (GuardedBlock<Double>(x), GuardedBlock<Double>(x))
    maxPoolGradient(
      g, images: 1, input: input.block, outputGradient: gradient.block, into: dx.block)
    averagePoolGradient(g, images: 1, outputGradient: gradient.block, into: dxMean.block)
    let errors = [
      differenceError(x, gradient: dx.numbers) { moved in
        let (input, output) = (GuardedBlock<Double>(moved), GuardedBlock<Double>(dy))
        maxPool(g, images: 1, input: input.block, into: output.block)
        return dot(dy, output.numbers)
      },
      differenceError(x, gradient: dxMean.numbers) { moved in
        let (input, output) = (GuardedBlock<Double>(moved), GuardedBlock<Double>(dy))
        averagePool(g, images: 1, input: input.block, into: output.block)
        return dot(dy, output.numbers)
      },
    ]
    #expect(errors.allSatisfy { $0 < 1e-7 }, "\(errors)")
  }

  @Test("not-a-number wins its window, wherever it stands", arguments: 0..<4)
  func notANumber(position: Int) {
    let g = Self.geometry(2, 2, kernel: 2, stride: 2, channels: 1)
    var x = [1.0, 2, 3, 4]
    x[position] = .nan
    let (input, output) = (GuardedBlock<Float>(x), GuardedBlock<Float>(count: 1))
    maxPool(g, images: 1, input: input.block, into: output.block)
    #expect(output.numbers[0].isNaN)
    let (dy, dx) = (GuardedBlock<Float>([1]), GuardedBlock<Float>(count: 4))
    maxPoolGradient(g, images: 1, input: input.block, outputGradient: dy.block, into: dx.block)
    #expect(dx.numbers == (0..<4).map { $0 == position ? 1 : 0 })
  }

  @Test("the least finite numbers beat the padding")
  func leastNumbers() {
    let g = Self.geometry(1, 1, kernel: 3, stride: 1, pad: (1, 1), channels: 1)
    let x = GuardedBlock<Float>([-Double(Float.greatestFiniteMagnitude)])
    let y = GuardedBlock<Float>(count: 1)
    maxPool(g, images: 1, input: x.block, into: y.block)
    #expect(y.numbers == x.numbers)
  }

  private func checkGlobal<S: Scalar>(
    _ images: Int, _ positions: Int, _ channels: Int, _ scalar: S.Type
  ) {
    let x = rounded(testNumbers(images * positions * channels, "x"), as: S.self)
    let (input, output) = (GuardedBlock<S>(x), GuardedBlock<S>(count: images * channels))
    globalAveragePool(
      images: images, positions: positions, channels: channels, input: input.block,
      into: output.block)
    let means = (0..<images * channels).map { i in
      let first = i / channels * positions * channels + i % channels
      return (0..<positions).reduce(0) { $0 + x[first + $1 * channels] } / Double(positions)
    }
    expectClose(output.numbers, means, tolerance: 32 * epsilon(S.self))
    let dx = GuardedBlock<S>(count: x.count)
    globalAveragePoolGradient(
      images: images, positions: positions, channels: channels, outputGradient: output.block,
      into: dx.block)
    let dy = output.numbers
    expectClose(
      dx.numbers,
      x.indices.map {
        dy[$0 / (positions * channels) * channels + $0 % channels] / Double(positions)
      },
      tolerance: 2 * epsilon(S.self))
  }

  @Test(
    "the global average and its gradient equal the definition",
    arguments: [(0, 3, 3), (1, 1, 1), (3, 49, 17), (2, 100, 64), (2, 7, 101)])
  func global(images: Int, positions: Int, channels: Int) {
    checkGlobal(images, positions, channels, Float.self)
    checkGlobal(images, positions, channels, Double.self)
  }
}
