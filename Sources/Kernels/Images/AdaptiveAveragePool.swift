import Graph
import Storage

// Shapes: N images, H x W positions before and H' x W' after, C channels; channels-last.

/// Means over windows that divide the image as evenly as they can.
///
/// Output `o` of H' is the mean of the inputs `o * H / H' ..< ceil((o + 1) * H / H')`, and likewise along the
/// other axis, as in PyTorch. Windows may share rows and columns.
///
/// - Parameters:
///   - input: `[N, H, W, C]`.
///   - output: `[N, H', W', C]`; must not overlap `input`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func adaptiveAveragePool<S: Scalar>(
  _ geometry: ResizeGeometry, images: Int, input: Block<S>, into output: Block<S>
) {
  @inline(never) func run() {
    precondition(images * geometry.inputCount <= input.count, "\(images) images")
    precondition(images * geometry.outputCount <= output.count, "\(images) images")
    @inline(__always) func visit(_ window: AdaptiveWindow) {
      let share = 1 / S(window.rows.count &* window.columns.count)
      @inline(__always) func mean(_ channel: Int) -> S.Vector {
        var sum = S.Vector(repeating: 0)
        for row in window.rows {
          for column in window.columns {
            let pixel = window.image &+ row &* geometry.input.width &+ column
            sum += input.base.vector(at: pixel &* geometry.channels &+ channel)
          }
        }
        return sum * share
      }
      fillByVectors(output.base + window.output, count: geometry.channels, mean)
    }
    forEachAdaptiveWindow(geometry, images: images, visit)
  }
  run()
}

/// Every output's gradient, divided evenly among its window.
///
/// - Parameters:
///   - outputGradient: `[N, H', W', C]`.
///   - inputGradient: `[N, H, W, C]`, overwritten; must not overlap `outputGradient`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func adaptiveAveragePoolGradient<S: Scalar>(
  _ geometry: ResizeGeometry, images: Int, outputGradient: Block<S>, into inputGradient: Block<S>
) {
  @inline(never) func run() {
    precondition(images * geometry.inputCount <= inputGradient.count, "\(images) images")
    inputGradient.prefix(images * geometry.inputCount).fill(0)
    @inline(__always) func visit(_ window: AdaptiveWindow) {
      let share = 1 / S(window.rows.count &* window.columns.count)
      let dy = outputGradient.base + window.output
      for row in window.rows {
        for column in window.columns {
          let pixel = window.image &+ row &* geometry.input.width &+ column
          let dx = inputGradient.base + pixel &* geometry.channels
          @inline(__always) func value(_ channel: Int) -> S.Vector {
            S.multiplyAdd(
              dy.vector(at: channel), S.Vector(repeating: share), dx.vector(at: channel))
          }
          fillByVectors(dx, count: geometry.channels, value)
        }
      }
    }
    forEachAdaptiveWindow(geometry, images: images, visit)
  }
  run()
}

private struct AdaptiveWindow {
  /// The image's first pixel.
  var image: Int
  var rows: Range<Int>
  var columns: Range<Int>
  /// Element of the output's first channel.
  var output: Int
}

@inline(__always)
private func forEachAdaptiveWindow(
  _ geometry: ResizeGeometry, images: Int, _ body: (AdaptiveWindow) -> Void
) {
  let (input, output) = (geometry.input, geometry.output)
  var element = 0
  for image in 0..<images {
    for y in 0..<output.height {
      let rows = adaptiveTaps(y, of: output.height, over: input.height)
      for x in 0..<output.width {
        body(
          AdaptiveWindow(
            image: image &* input.height &* input.width, rows: rows,
            columns: adaptiveTaps(x, of: output.width, over: input.width), output: element))
        element &+= geometry.channels
      }
    }
  }
}

@inline(__always)
private func adaptiveTaps(_ index: Int, of outputs: Int, over inputs: Int) -> Range<Int> {
  let first = index &* inputs / outputs
  let end = ((index &+ 1) &* inputs &+ outputs &- 1) / outputs
  return first..<end
}
