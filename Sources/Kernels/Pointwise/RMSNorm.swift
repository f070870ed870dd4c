import Storage

// Shapes: R rows (positions), C channels. A row's bits do not depend on the other rows.

/// Scales every row to a root mean square of 1, then every channel.
///
///     inverse[r] = 1 / sqrt(sum over c of input[r, c]^2 / C + epsilon)
///     output[r, c] = input[r, c] * inverse[r] * gamma[c]
///
/// Source: Zhang and Sennrich, "Root mean square layer normalization", 2019, equation 4.
///
/// - Parameters:
///   - input: `[R, C]`.
///   - output: `[R, C]`; the same block as `input` or one that does not overlap it.
///   - inverse: `[R]`, written.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func rmsNorm<S: Scalar>(
  input: Block<S>, rows: Int, channels: Int, gamma: Block<S>, epsilon: S, into output: Block<S>,
  inverse: Block<S>
) {
  @inline(never) func run() {
    precondition(
      rows * channels <= min(input.count, output.count), "\(rows) rows, \(channels) wide")
    for row in 0..<rows {
      let x = input.base + row &* channels
      @inline(__always) func square(_ channel: Int) -> S.Vector {
        x.vector(at: channel) * x.vector(at: channel)
      }
      let meanSquare: S = sumAlongRow(channels, square) / S(channels)
      let factor = 1 / (meanSquare + epsilon).squareRoot()
      @inline(__always) func value(_ channel: Int) -> S.Vector {
        x.vector(at: channel) * factor * gamma.base.vector(at: channel)
      }
      inverse.base[row] = factor
      fillByVectors(output.base + row &* channels, count: channels, value)
    }
  }
  run()
}

/// The gradients of `rmsNorm`.
///
///     gammaGradient[c] = sum over r of outputGradient[r, c] * normal[r, c]
///     inputGradient = inverse * (g - normal * mean of (g * normal))
///
/// with `g = outputGradient * gamma`, `normal = input * inverse` and the mean over C.
///
/// - Parameters:
///   - inputGradient: `[R, C]`; the same block as `outputGradient` or `input`, or one that overlaps neither.
///   - gammaGradient: `[C]`, overwritten.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func rmsNormGradient<S: Scalar>(
  input: Block<S>, outputGradient: Block<S>, rows: Int, channels: Int, gamma: Block<S>,
  inverse: Block<S>, into inputGradient: Block<S>, gammaGradient: Block<S>
) {
  @inline(never) func run() {
    precondition(rows * channels <= input.count, "\(rows) rows in \(input.count)")
    @inline(__always) func terms(_ stream: Int, _ row: Int, _ channel: Int) -> OneTerm<S> {
      let element = row &* channels &+ channel
      let normal = input.base.vector(at: element) * inverse.base[row]
      return OneTerm<S>(outputGradient.base.vector(at: element) * normal)
    }
    @inline(__always) func store(_ channel: Int, _ sum: OneTerm<S>) {
      gammaGradient.base.setVector(sum.value, at: channel, channel: channel, of: channels)
    }
    forEachColumnSum(rows: rows, channels: channels, terms, result: store)
    for row in 0..<rows {
      rmsNormRowGradient(
        input.base + row &* channels, outputGradient.base + row &* channels, channels: channels,
        gamma.base, inverse: inverse.base[row], into: inputGradient.base + row &* channels)
    }
  }
  run()
}

@inline(__always)
private func rmsNormRowGradient<S: Scalar>(
  _ x: UnsafeMutablePointer<S>, _ dy: UnsafeMutablePointer<S>, channels: Int,
  _ gamma: UnsafeMutablePointer<S>, inverse: S, into dx: UnsafeMutablePointer<S>
) {
  @inline(__always) func g(_ channel: Int) -> S.Vector {
    dy.vector(at: channel) * gamma.vector(at: channel)
  }
  @inline(__always) func normal(_ channel: Int) -> S.Vector { x.vector(at: channel) * inverse }
  @inline(__always) func product(_ channel: Int) -> S.Vector { g(channel) * normal(channel) }
  let slope: S = sumAlongRow(channels, product) / S(channels)
  @inline(__always) func value(_ channel: Int) -> S.Vector {
    (g(channel) - normal(channel) * slope) * inverse
  }
  fillByVectors(dx, count: channels, value)
}
