import Graph
import Storage

// Shapes: N images, H x W positions before and H' x W' after, C channels; channels-last.

/// `output[n, y, x, c]` is the sum of its window over the number of its taps; taps in the padding count
/// in that number if `geometry.countsPadding`.
///
/// An image's bits do not depend on the other images.
///
/// - Parameters:
///   - input: `[images, H, W, C]`.
///   - output: `[images, H', W', C]`; must not overlap `input`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func averagePool<S: Scalar>(
  _ geometry: PoolGeometry, images: Int, input: Block<S>, into output: Block<S>
) {
  @inline(never) func run() {
    precondition(images * geometry.inputCount <= input.count, "\(images) images in \(input.count)")
    precondition(images * geometry.outputCount <= output.count, "\(images) into \(output.count)")
    let steps = TapSteps(geometry)
    let channels = geometry.channels
    @inline(__always) func visit(_ window: PoolWindow) {
      let share: S = geometry.share(of: window)
      @inline(__always) func mean(_ channel: Int) -> S.Vector {
        sumOfTaps(input.base + (window.input &+ channel), window, steps) * share
      }
      fillByVectors(output.base + window.output, count: channels, mean)
    }
    forEachWindow(geometry, images: images, visit)
  }
  run()
}

/// Spreads the gradient of every output evenly over its taps; windows that overlap add up.
///
/// - Parameters:
///   - outputGradient: `[images, H', W', C]`.
///   - inputGradient: `[images, H, W, C]`, overwritten; must not overlap `outputGradient`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func averagePoolGradient<S: Scalar>(
  _ geometry: PoolGeometry, images: Int, outputGradient: Block<S>, into inputGradient: Block<S>
) {
  @inline(never) func run() {
    precondition(
      images * geometry.inputCount <= inputGradient.count, "\(images) into \(inputGradient.count)")
    @inline(__always) func spread(_ window: PoolWindow, _ channel: Int) -> S.Vector {
      let share: S = geometry.share(of: window)
      return outputGradient.base.vector(at: window.output &+ channel) * share
    }
    @inline(__always) func same(_ spread: S.Vector, _ tap: Int) -> S.Vector { spread }
    scatterWindows(
      geometry, images: images, into: inputGradient.base, plan: spread, gradient: same)
  }
  run()
}

extension PoolGeometry {
  /// One over the number of taps.
  @inline(__always)
  fileprivate func share<S: Scalar>(of window: PoolWindow) -> S {
    1 / S(countsPadding ? vertical.kernel &* horizontal.kernel : max(window.tapCount, 1))
  }
}

/// The sum of a window, for a vector of channels.
@inline(__always)
private func sumOfTaps<S: Scalar>(
  _ first: UnsafeMutablePointer<S>, _ window: PoolWindow, _ steps: TapSteps
) -> S.Vector {
  if window.rows == 2, window.columns == 2 {
    return (first.vector(at: 0) + first.vector(at: steps.column))
      + (first.vector(at: steps.row) + first.vector(at: steps.row &+ steps.column))
  }
  var sum = S.Vector(repeating: 0)
  for row in 0..<window.rows {
    for column in 0..<window.columns {
      sum += first.vector(at: row &* steps.row &+ column &* steps.column)
    }
  }
  return sum
}
