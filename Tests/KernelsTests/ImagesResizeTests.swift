import Graph
import Kernels
import Randomness
import Storage
import Testing

@Suite("Changing an image's extents")
struct ImagesResizeTests {
  struct Case: Sendable {
    var images: Int
    var geometry: ResizeGeometry

    init(_ images: Int, _ input: (Int, Int), _ output: (Int, Int), _ channels: Int) {
      self.images = images
      geometry = ResizeGeometry(
        input: Extent(height: input.0, width: input.1),
        output: Extent(height: output.0, width: output.1), channels: channels)
    }
  }

  /// A matrix `[outputs, inputs]` of one axis.
  private typealias Axis = [[Double]]

  private func adaptiveAxis(_ inputs: Int, _ outputs: Int) -> Axis {
    (0..<outputs).map { output in
      let first = Int((Double(output * inputs) / Double(outputs)).rounded(.down))
      let end = Int((Double((output + 1) * inputs) / Double(outputs)).rounded(.up))
      return (0..<inputs).map { (first..<end).contains($0) ? 1 / Double(end - first) : 0 }
    }
  }

  private func nearestAxis(_ inputs: Int, _ outputs: Int) -> Axis {
    (0..<outputs).map { output in
      (0..<inputs).map { output / (outputs / inputs) == $0 ? 1 : 0 }
    }
  }

  /// Hats around the centres of the inputs; beyond the outermost centres their value.
  private func bilinearAxis(_ inputs: Int, _ outputs: Int) -> Axis {
    (0..<outputs).map { output in
      let factor = Double(outputs) / Double(inputs)
      let place = min(max((Double(output) + 0.5) / factor - 0.5, 0), Double(inputs - 1))
      return (0..<inputs).map { max(0, 1 - abs(place - Double($0))) }
    }
  }

  private func reference(
    _ x: [Double], _ example: Case, _ axis: (Int, Int) -> Axis, transposed: Bool = false
  ) -> [Double] {
    let geometry = example.geometry
    let (input, output) = (geometry.input, geometry.output)
    let rows = axis(input.height, output.height)
    let columns = axis(input.width, output.width)
    let (from, to) = transposed ? (output, input) : (input, output)
    var y = [Double](
      repeating: 0, count: example.images * to.height * to.width * geometry.channels)
    for image in 0..<example.images {
      for row in 0..<to.height {
        for column in 0..<to.width {
          for (sourceRow, sourceColumn) in (0..<from.height * from.width).map({
            ($0 / from.width, $0 % from.width)
          }) {
            let weight =
              transposed
              ? rows[sourceRow][row] * columns[sourceColumn][column]
              : rows[row][sourceRow] * columns[column][sourceColumn]
            guard weight != 0 else { continue }
            for channel in 0..<geometry.channels {
              let target = (image * to.height + row) * to.width + column
              let source = (image * from.height + sourceRow) * from.width + sourceColumn
              y[target * geometry.channels + channel] +=
                weight * x[source * geometry.channels + channel]
            }
          }
        }
      }
    }
    return y
  }

  private func check<S: Scalar>(
    _ example: Case, _ axis: (Int, Int) -> Axis, _ scalar: S.Type,
    forward: (Block<S>, Block<S>) -> Void, backward: (Block<S>, Block<S>) -> Void
  ) {
    let geometry = example.geometry
    let x = rounded(testNumbers(example.images * geometry.inputCount, "x"), as: S.self)
    let dy = rounded(testNumbers(example.images * geometry.outputCount, "dy"), as: S.self)
    let (input, output) = (GuardedBlock<S>(x), GuardedBlock<S>(count: dy.count))
    forward(input.block, output.block)
    // Sums of a few dozen terms of size 1.
    expectClose(
      output.numbers, reference(x, example, axis), tolerance: 64 * epsilon(S.self))
    let (gradient, inputGradient) = (GuardedBlock<S>(dy), GuardedBlock<S>(count: x.count))
    backward(gradient.block, inputGradient.block)
    // Linear: the gradient is the transposed matrix.
    expectClose(
      inputGradient.numbers, reference(dy, example, axis, transposed: true),
      tolerance: 64 * epsilon(S.self))
  }

  private func checkAdaptive<S: Scalar>(_ example: Case, _ scalar: S.Type) {
    check(example, adaptiveAxis, scalar) {
      adaptiveAveragePool(example.geometry, images: example.images, input: $0, into: $1)
    } backward: {
      adaptiveAveragePoolGradient(
        example.geometry, images: example.images, outputGradient: $0, into: $1)
    }
  }

  @Test(
    "adaptive average pooling divides images as evenly as it can",
    arguments: [
      Case(2, (5, 7), (3, 3), 3), Case(1, (6, 6), (2, 3), 17), Case(3, (1, 1), (1, 1), 1),
      Case(1, (13, 4), (6, 7), 5), Case(2, (7, 7), (1, 1), 33), Case(0, (4, 4), (2, 2), 2),
    ])
  func adaptive(example: Case) {
    checkAdaptive(example, Float.self)
    checkAdaptive(example, Double.self)
  }

  private func checkUpsample<S: Scalar>(
    _ example: Case, _ mode: Interpolation, _ scalar: S.Type
  ) {
    check(example, mode == .nearest ? nearestAxis : bilinearAxis, scalar) {
      upsample(example.geometry, mode, images: example.images, input: $0, into: $1)
    } backward: {
      upsampleGradient(
        example.geometry, mode, images: example.images, outputGradient: $0, into: $1)
    }
  }

  @Test(
    "upsampling repeats pixels or goes between their centres",
    arguments: [
      Case(2, (3, 4), (6, 8), 3), Case(1, (1, 5), (2, 5), 17), Case(3, (1, 1), (3, 4), 1),
      Case(1, (7, 3), (21, 3), 5), Case(2, (2, 2), (4, 10), 33), Case(0, (2, 2), (4, 4), 2),
    ], Interpolation.allCases)
  func upsampling(example: Case, mode: Interpolation) {
    checkUpsample(example, mode, Float.self)
    checkUpsample(example, mode, Double.self)
  }
}
