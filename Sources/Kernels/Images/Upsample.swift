import Graph
import Storage

// Shapes: N images, H x W positions before and F H x G W after, C channels; channels-last.

/// Makes images larger by whole factors F and G.
///
/// `nearest`: `output[n, y, x] = input[n, y / F, x / G]`. `bilinear`: the input between the centres of its pixels, at
/// `((y + 1/2) / F - 1/2, (x + 1/2) / G - 1/2)`, continued beyond the outermost centres by the edge.
///
/// - Parameters:
///   - input: `[N, H, W, C]`.
///   - output: `[N, F H, G W, C]`; must not overlap `input`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func upsample<S: Scalar>(
  _ geometry: ResizeGeometry, _ mode: Interpolation, images: Int, input: Block<S>,
  into output: Block<S>
) {
  @inline(never) func run() {
    precondition(images * geometry.inputCount <= input.count, "\(images) images")
    precondition(images * geometry.outputCount <= output.count, "\(images) images")
    let channels = geometry.channels
    @inline(__always) func visit(_ target: Int, _ taps: FourTaps<S>) {
      let y = output.base + target
      let (a, b) = (input.base + taps.a, input.base + taps.b)
      let (c, d) = (input.base + taps.c, input.base + taps.d)
      if mode == .nearest {
        fillByVectors(y, count: channels, a.vector)
      } else {
        @inline(__always) func value(_ channel: Int) -> S.Vector {
          let upper =
            a.vector(at: channel) * taps.left + b.vector(at: channel) * taps.right
          let lower =
            c.vector(at: channel) * taps.left + d.vector(at: channel) * taps.right
          return upper * taps.top + lower * taps.bottom
        }
        fillByVectors(y, count: channels, value)
      }
    }
    forEachTarget(geometry, mode, images: images, visit)
  }
  run()
}

/// Every output's gradient goes to the pixels it was made of, by their weights, in the order of the outputs.
///
/// - Parameters:
///   - outputGradient: `[N, F H, G W, C]`.
///   - inputGradient: `[N, H, W, C]`, overwritten; must not overlap `outputGradient`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func upsampleGradient<S: Scalar>(
  _ geometry: ResizeGeometry, _ mode: Interpolation, images: Int, outputGradient: Block<S>,
  into inputGradient: Block<S>
) {
  @inline(never) func run() {
    precondition(images * geometry.inputCount <= inputGradient.count, "\(images) images")
    precondition(images * geometry.outputCount <= outputGradient.count, "\(images) images")
    inputGradient.prefix(images * geometry.inputCount).fill(0)
    @inline(__always) func add(_ source: Int, _ weight: S, to target: Int) {
      let dy = outputGradient.base + source
      let dx = inputGradient.base + target
      @inline(__always) func value(_ channel: Int) -> S.Vector {
        S.multiplyAdd(dy.vector(at: channel), S.Vector(repeating: weight), dx.vector(at: channel))
      }
      fillByVectors(dx, count: geometry.channels, value)
    }
    @inline(__always) func visit(_ source: Int, _ taps: FourTaps<S>) {
      if mode == .nearest {
        add(source, 1, to: taps.a)
      } else {
        add(source, taps.top * taps.left, to: taps.a)
        add(source, taps.top * taps.right, to: taps.b)
        add(source, taps.bottom * taps.left, to: taps.c)
        add(source, taps.bottom * taps.right, to: taps.d)
      }
    }
    forEachTarget(geometry, mode, images: images, visit)
  }
  run()
}

/// The four pixels around a place, as elements of their first channels, and the weights of their rows and columns.
private struct FourTaps<S: Scalar> {
  var a: Int
  var b: Int
  var c: Int
  var d: Int
  var top: S
  var bottom: S
  var left: S
  var right: S
}

/// Visits the outputs in order with the element of their first channel.
@inline(__always)
private func forEachTarget<S: Scalar>(
  _ geometry: ResizeGeometry, _ mode: Interpolation, images: Int,
  _ body: (Int, FourTaps<S>) -> Void
) {
  let (input, output, channels) = (geometry.input, geometry.output, geometry.channels)
  var target = 0
  for image in 0..<images {
    for y in 0..<output.height {
      let vertical = AxisTap<S>(y, of: output.height, over: input.height, mode)
      let upper = (image &* input.height &+ vertical.first) &* input.width
      let lower = (image &* input.height &+ vertical.second) &* input.width
      for x in 0..<output.width {
        let horizontal = AxisTap<S>(x, of: output.width, over: input.width, mode)
        body(
          target,
          FourTaps<S>(
            a: (upper &+ horizontal.first) &* channels, b: (upper &+ horizontal.second) &* channels,
            c: (lower &+ horizontal.first) &* channels, d: (lower &+ horizontal.second) &* channels,
            top: 1 - vertical.weight, bottom: vertical.weight, left: 1 - horizontal.weight,
            right: horizontal.weight))
        target &+= channels
      }
    }
  }
}

/// The two inputs of an axis that an output lies between, and the weight of the second one.
private struct AxisTap<S: Scalar> {
  var first: Int
  var second: Int
  var weight: S

  @inline(__always)
  init(_ index: Int, of outputs: Int, over inputs: Int, _ mode: Interpolation) {
    if mode == .nearest {
      first = index &* inputs / outputs
      second = first
      weight = 0
    } else {
      let place = (Double(index) + 0.5) * Double(inputs) / Double(outputs) - 0.5
      let inside = place < 0 ? 0 : place
      first = Int(inside)
      second = first &+ 1 < inputs ? first &+ 1 : first
      weight = S(inside - Double(first))
    }
  }
}
