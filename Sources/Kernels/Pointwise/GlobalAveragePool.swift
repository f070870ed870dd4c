import Storage

// Shapes: N images, P positions, C channels; channels-last, [N, P, C].

/// `output[n, c] = sum over p of input[n, p, c] / P`.
///
/// An image's bits do not depend on the other images.
///
/// - Parameters:
///   - input: `[images, positions, channels]`.
///   - output: `[images, channels]`; must not overlap `input`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func globalAveragePool<S: Scalar>(
  images: Int, positions: Int, channels: Int, input: Block<S>, into output: Block<S>
) {
  precondition(images * positions * channels <= input.count, "\(images) images in \(input.count)")
  precondition(images * channels <= output.count, "\(images) images into \(output.count)")
  let share = 1 / S(positions)
  for image in 0..<images {
    let x = input.base + image &* positions &* channels
    let y = output.base + image &* channels
    forEachColumnSum(rows: positions, channels: channels) { _, row, channel in
      OneTerm<S>(x.vector(at: row &* channels &+ channel))
    } result: { channel, sum in
      y.setVector(sum.value * share, at: channel, channel: channel, of: channels)
    }
  }
}

/// `inputGradient[n, p, c] = outputGradient[n, c] / P`.
///
/// - Parameters:
///   - outputGradient: `[images, channels]`.
///   - inputGradient: `[images, positions, channels]`; must not overlap `outputGradient`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func globalAveragePoolGradient<S: Scalar>(
  images: Int, positions: Int, channels: Int, outputGradient: Block<S>,
  into inputGradient: Block<S>
) {
  precondition(
    images * positions * channels <= inputGradient.count, "\(images) into \(inputGradient.count)")
  let share = 1 / S(positions)
  for image in 0..<images {
    let dy = outputGradient.base + image &* channels
    let dx = inputGradient.base + image &* positions &* channels
    fillByColumns(dx, rows: positions, channels: channels) { channel in
      dy.vector(at: channel) * share
    } value: { _, value in
      value
    }
  }
}
