import Graph
import Randomness
import Storage

// Shapes: N images, P positions, C channels; channels-last, [N, P, C].

/// Dropout of whole channels: `output[n, p, c] = keeps(n, c) ? input[n, p, c] / (1 - rate) : 0`.
///
/// Whether channel c of sample s is kept is what `dropout` says of element c of a sample with C elements,
/// so it depends on stream, step, s and c alone. With one channel and all elements as positions it drops whole
/// samples. The gradient is the same call on the gradient. A dropped number that is not finite gives not-a-number.
///
/// Source: Tompson et al., "Efficient object localization using convolutional networks", CVPR 2015, section 3.2
/// (channels); Huang et al., "Deep networks with stochastic depth", ECCV 2016, section 3 (samples).
///
/// - Parameters:
///   - input: `[N, P, C]`.
///   - firstSample: Position of image 0 in the batch.
///   - output: `[N, P, C]`; the same block as `input` or one that does not overlap it.
///   - scratch: `[C]`, overwritten.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func channelDropout<S: Scalar>(
  _ shape: ChannelShape, images: Int, input: Block<S>, rate: Double, stream: Philox, step: UInt64,
  firstSample: UInt64, into output: Block<S>, scratch: Block<S>
) {
  @inline(never) func run() {
    precondition(images * shape.elementCount <= min(input.count, output.count), "\(images) images")
    let mask = scratch.prefix(shape.channels)
    for image in 0..<images {
      mask.fill(1)
      dropout(
        input: mask, rows: 1, channels: shape.channels, rate: rate, stream: stream, step: step,
        firstSample: firstSample &+ UInt64(image), into: mask)
      let start = image &* shape.elementCount
      applyMask(mask.base, shape, input.base + start, into: output.base + start)
    }
  }
  run()
}

@inline(__always)
private func applyMask<S: Scalar>(
  _ mask: UnsafeMutablePointer<S>, _ shape: ChannelShape, _ x: UnsafeMutablePointer<S>,
  into y: UnsafeMutablePointer<S>
) {
  guard shape.channels > 1 else {
    let factor = mask[0]
    @inline(__always) func value(_ element: Int) -> S.Vector { x.vector(at: element) * factor }
    fillByVectors(y, count: shape.positions, value)
    return
  }
  @inline(__always) func factor(_ channel: Int) -> S.Vector { mask.vector(at: channel) }
  @inline(__always) func value(_ element: Int, _ factor: S.Vector) -> S.Vector {
    x.vector(at: element) * factor
  }
  fillByColumns(
    y, rows: shape.positions, channels: shape.channels, coefficients: factor, value: value)
}
