import Graph
import Storage

// Shapes: N images, P positions, C channels; channels-last, [N, P, C].

/// Weighs the channels of every image: `output[n, p, c] = input[n, p, c] * scale[n, c]`.
///
/// The gradient by the input is the same call on the output's gradient.
///
/// - Parameters:
///   - input: `[N, P, C]`.
///   - scale: `[N, C]`.
///   - output: `[N, P, C]`; the same block as `input` or one that does not overlap it.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func scaleChannels<S: Scalar>(
  _ shape: ChannelShape, images: Int, input: Block<S>, scale: Block<S>, into output: Block<S>
) {
  @inline(never) func run() {
    precondition(images * shape.elementCount <= min(input.count, output.count), "\(images) images")
    precondition(images * shape.channels <= scale.count, "\(images) images in \(scale.count)")
    for image in 0..<images {
      let x = input.base + image &* shape.elementCount
      let s = scale.base + image &* shape.channels
      @inline(__always) func factor(_ channel: Int) -> S.Vector { s.vector(at: channel) }
      @inline(__always) func value(_ element: Int, _ factor: S.Vector) -> S.Vector {
        x.vector(at: element) * factor
      }
      fillByColumns(
        output.base + image &* shape.elementCount, rows: shape.positions,
        channels: shape.channels, coefficients: factor, value: value)
    }
  }
  run()
}

/// `scaleGradient[n, c] = sum over p of input[n, p, c] * outputGradient[n, p, c]`.
///
/// - Parameters:
///   - input: `[N, P, C]`, as is `outputGradient`.
///   - scaleGradient: `[N, C]`; must not overlap the others.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func scaleChannelsGradient<S: Scalar>(
  _ shape: ChannelShape, images: Int, input: Block<S>, outputGradient: Block<S>,
  into scaleGradient: Block<S>
) {
  @inline(never) func run() {
    precondition(
      images * shape.elementCount <= min(input.count, outputGradient.count), "\(images) images")
    precondition(images * shape.channels <= scaleGradient.count, "\(images) images")
    for image in 0..<images {
      let x = input.base + image &* shape.elementCount
      let dy = outputGradient.base + image &* shape.elementCount
      let ds = scaleGradient.base + image &* shape.channels
      @inline(__always) func term(_ stream: Int, _ row: Int, _ channel: Int) -> OneTerm<S> {
        let element = row &* shape.channels &+ channel
        return OneTerm<S>(x.vector(at: element) * dy.vector(at: element))
      }
      @inline(__always) func store(_ channel: Int, _ sum: OneTerm<S>) {
        ds.setVector(sum.value, at: channel, channel: channel, of: shape.channels)
      }
      forEachColumnSum(rows: shape.positions, channels: shape.channels, term, result: store)
    }
  }
  run()
}

/// `output[r, c] = input[r, c] + bias[c]`.
///
/// - Parameters:
///   - input: `[rows, channels]`.
///   - bias: `[channels]`.
///   - output: `[rows, channels]`; the same block as `input` or one that does not overlap it.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func addChannelBias<S: Scalar>(
  _ input: Block<S>, rows: Int, channels: Int, bias: Block<S>, into output: Block<S>
) {
  @inline(never) func run() {
    precondition(rows * channels <= min(input.count, output.count), "\(rows) rows")
    @inline(__always) func term(_ channel: Int) -> S.Vector { bias.base.vector(at: channel) }
    @inline(__always) func value(_ element: Int, _ term: S.Vector) -> S.Vector {
      input.base.vector(at: element) + term
    }
    fillByColumns(
      output.base, rows: rows, channels: channels, coefficients: term, value: value)
  }
  run()
}
