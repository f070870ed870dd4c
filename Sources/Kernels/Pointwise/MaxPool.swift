import Graph
import Storage

// Shapes: N images, H x W positions before and H' x W' after, C channels; channels-last.

/// `output[n, y, x, c]` is the largest number of its window; padding never wins, not-a-number always.
///
/// An image's bits do not depend on the other images.
///
/// - Parameters:
///   - input: `[images, H, W, C]`.
///   - output: `[images, H', W', C]`; must not overlap `input`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func maxPool<S: Scalar>(
  _ geometry: PoolGeometry, images: Int, input: Block<S>, into output: Block<S>
) {
  @inline(never) func run() {
    precondition(images * geometry.inputCount <= input.count, "\(images) images in \(input.count)")
    precondition(images * geometry.outputCount <= output.count, "\(images) into \(output.count)")
    let steps = TapSteps(geometry)
    let channels = geometry.channels
    let end = images &* geometry.outputCount
    @inline(__always) func visit(_ window: PoolWindow) {
      @inline(__always) func largest(_ channel: Int) -> S.Vector {
        largestTap(input.base + (window.input &+ channel), window, steps).value
      }
      fillAhead(
        output.base + window.output, count: channels, room: end &- window.output, largest)
    }
    forEachWindow(geometry, images: images, visit)
  }
  run()
}

/// Sends the gradient of every output to the tap that won, the first of equal ones; other elements get
/// zero, and windows that overlap add up.
///
/// - Parameters:
///   - input: What `maxPool` read, `[images, H, W, C]`.
///   - outputGradient: `[images, H', W', C]`.
///   - inputGradient: `[images, H, W, C]`, overwritten; must not overlap the others.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func maxPoolGradient<S: Scalar>(
  _ geometry: PoolGeometry, images: Int, input: Block<S>, outputGradient: Block<S>,
  into inputGradient: Block<S>
) {
  @inline(never) func run() {
    precondition(images * geometry.inputCount <= input.count, "\(images) images in \(input.count)")
    precondition(
      images * geometry.inputCount <= inputGradient.count, "\(images) into \(inputGradient.count)")
    let steps = TapSteps(geometry)
    @inline(__always) func winner(_ window: PoolWindow, _ channel: Int) -> WinningTap<S> {
      WinningTap(
        tap: largestTap(input.base + (window.input &+ channel), window, steps).tap,
        gradient: outputGradient.base.vector(at: window.output &+ channel))
    }
    @inline(__always) func share(_ winner: WinningTap<S>, _ tap: Int) -> S.Vector {
      S.ifEqual(winner.tap, S.Vector(repeating: S(tap)), then: winner.gradient, else: S.zeros)
    }
    scatterWindows(
      geometry, images: images, into: inputGradient.base, plan: winner, gradient: share)
  }
  run()
}

/// Which tap gets which gradient, lane by lane. Taps are counted in S, whose comparison masks fit.
private struct WinningTap<S: Scalar> {
  let tap: S.Vector
  let gradient: S.Vector
}

/// The largest number of a window and the tap where it first occurs, for a vector of channels.
@inline(__always)
private func largestTap<S: Scalar>(
  _ first: UnsafeMutablePointer<S>, _ window: PoolWindow, _ steps: TapSteps
) -> (value: S.Vector, tap: S.Vector) {
  if window.tapCount == 0 { return (S.Vector(repeating: 0), S.Vector(repeating: -1)) }
  var best = Champion<S>(first.vector(at: 0))
  if window.rows == 2, window.columns == 2 {
    best.meet(first.vector(at: steps.column), tap: 1)
    best.meet(first.vector(at: steps.row), tap: 2)
    best.meet(first.vector(at: steps.row &+ steps.column), tap: 3)
    return (best.value, best.tap)
  }
  var tap: S = 0
  for row in 0..<window.rows {
    for column in 0..<window.columns {
      best.meet(first.vector(at: row &* steps.row &+ column &* steps.column), tap: tap)
      tap += 1
    }
  }
  return (best.value, best.tap)
}

private struct Champion<S: Scalar> {
  var value: S.Vector
  var tap = S.Vector(repeating: 0)

  @inline(__always) init(_ value: S.Vector) { self.value = value }

  @inline(__always)
  mutating func meet(_ challenger: S.Vector, tap challengerTap: S) {
    let larger = S.ifLess(value, challenger, then: challenger, else: value)
    let largerTap = S.ifLess(
      value, challenger, then: S.Vector(repeating: challengerTap), else: tap)
    tap = S.ifEqual(
      challenger, challenger, then: largerTap, else: S.Vector(repeating: challengerTap))
    value = S.ifEqual(challenger, challenger, then: larger, else: challenger)
  }
}
