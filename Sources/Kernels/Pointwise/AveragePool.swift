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
    let end = images &* geometry.outputCount
    let shares = WindowShares<S>(geometry)
    @inline(__always) func visit(_ window: PoolWindow) {
      let share = shares.share(of: window)
      @inline(__always) func mean(_ channel: Int) -> S.Vector {
        sumOfTaps(input.base + (window.input &+ channel), window, steps) * share
      }
      fillAhead(
        output.base + window.output, count: channels, room: end &- window.output, mean)
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
    let shares = WindowShares<S>(geometry)
    @inline(__always) func spread(_ window: PoolWindow, _ channel: Int) -> S.Vector {
      outputGradient.base.vector(at: window.output &+ channel) * shares.share(of: window)
    }
    @inline(__always) func same(_ spread: S.Vector, _ tap: Int) -> S.Vector { spread }
    scatterWindows(
      geometry, images: images, into: inputGradient.base, plan: spread, gradient: same)
  }
  run()
}

/// One over the number of taps.
///
/// The taps of a whole window are counted anew each time: where windows are known to be whole, the
/// optimiser then sees that nothing is divided.
private struct WindowShares<S: Scalar> {
  private let geometry: PoolGeometry
  private let whole: S

  @inline(__always) init(_ geometry: PoolGeometry) {
    self.geometry = geometry
    whole = 1 / S(geometry.vertical.kernel &* geometry.horizontal.kernel)
  }

  @inline(__always) func share(of window: PoolWindow) -> S {
    let isWhole =
      window.rows == geometry.vertical.kernel && window.columns == geometry.horizontal.kernel
    return geometry.countsPadding || isWhole ? whole : 1 / S(max(window.tapCount, 1))
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
