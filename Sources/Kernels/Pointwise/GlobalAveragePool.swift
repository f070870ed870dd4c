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
  @inline(never) func run() {
    precondition(images * positions * channels <= input.count, "\(images) images in \(input.count)")
    precondition(images * channels <= output.count, "\(images) images into \(output.count)")
    let share = 1 / S(positions)
    for image in 0..<images {
      let x = input.base + image &* positions &* channels
      let y = output.base + image &* channels
      @inline(__always) func term(_ stream: Int, _ row: Int, _ channel: Int) -> OneTerm<S> {
        OneTerm<S>(x.vector(at: row &* channels &+ channel))
      }
      @inline(__always) func store(_ channel: Int, _ sum: OneTerm<S>) {
        y.setVector(sum.value * share, at: channel, channel: channel, of: channels)
      }
      forEachColumnSum(rows: positions, channels: channels, term, result: store)
    }
  }
  run()
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
  @inline(never) func run() {
    precondition(
      images * positions * channels <= inputGradient.count, "\(images) into \(inputGradient.count)")
    let share = 1 / S(positions)
    for image in 0..<images {
      let dy = outputGradient.base + image &* channels
      let dx = inputGradient.base + image &* positions &* channels
      @inline(__always) func spread(_ channel: Int) -> S.Vector {
        dy.vector(at: channel) * share
      }
      @inline(__always) func same(_ element: Int, _ spread: S.Vector) -> S.Vector { spread }
      fillByColumns(
        dx, rows: positions, channels: channels, coefficients: spread, value: same)
    }
  }
  run()
}
