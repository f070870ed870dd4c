import Storage

// Shapes: R rows (positions), C channels. A row's bits do not depend on the other rows.

/// Normalises every row over its channels.
///
///     mean[r] = sum over c of input[r, c] / C
///     inverseDeviation[r] = 1 / sqrt(sum over c of (input[r, c] - mean[r])^2 / C + epsilon)
///     output[r, c] = (input[r, c] - mean[r]) * inverseDeviation[r] * gamma[c] + beta[c]
///
/// Source: Ba, Kiros, Hinton, "Layer normalization", 2016, equation 4.
///
/// - Parameters:
///   - input: `[R, C]`.
///   - output: `[R, C]`; the same block as `input` or one that does not overlap it.
///   - mean: `[R]`, written, as is `inverseDeviation`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func layerNorm<S: Scalar>(
  input: Block<S>, rows: Int, channels: Int, gamma: Block<S>, beta: Block<S>, epsilon: S,
  into output: Block<S>, mean: Block<S>, inverseDeviation: Block<S>
) {
  @inline(never) func run() {
    precondition(
      rows * channels <= min(input.count, output.count), "\(rows) rows, \(channels) wide")
    for row in 0..<rows {
      let x = input.base + row &* channels
      @inline(__always) func number(_ channel: Int) -> S.Vector { x.vector(at: channel) }
      let average: S = sumAlongRow(channels, number) / S(channels)
      @inline(__always) func square(_ channel: Int) -> S.Vector {
        let deviation = x.vector(at: channel) - average
        return deviation * deviation
      }
      let variance: S = sumAlongRow(channels, square) / S(channels)
      let inverse = 1 / (variance + epsilon).squareRoot()
      @inline(__always) func value(_ channel: Int) -> S.Vector {
        S.multiplyAdd(
          (x.vector(at: channel) - average) * inverse, gamma.base.vector(at: channel),
          beta.base.vector(at: channel))
      }
      mean.base[row] = average
      inverseDeviation.base[row] = inverse
      fillByVectors(output.base + row &* channels, count: channels, value)
    }
  }
  run()
}

/// The gradients of `layerNorm`.
///
///     betaGradient[c] = sum over r of outputGradient[r, c]
///     gammaGradient[c] = sum over r of outputGradient[r, c] * normal[r, c]
///     inputGradient = inverseDeviation * (g - mean of g - normal * mean of (g * normal))
///
/// with `g = outputGradient * gamma`, `normal = (input - mean) * inverseDeviation` and means over C.
///
/// - Parameters:
///   - inputGradient: `[R, C]`; the same block as `outputGradient` or `input`, or one that overlaps
///     neither.
///   - gammaGradient: `[C]`, overwritten, as is `betaGradient`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func layerNormGradient<S: Scalar>(
  input: Block<S>, outputGradient: Block<S>, rows: Int, channels: Int, gamma: Block<S>,
  mean: Block<S>, inverseDeviation: Block<S>, into inputGradient: Block<S>,
  gammaGradient: Block<S>, betaGradient: Block<S>
) {
  @inline(never) func run() {
    precondition(rows * channels <= input.count, "\(rows) rows in \(input.count)")
    @inline(__always) func terms(_ stream: Int, _ row: Int, _ channel: Int) -> TwoTerms<S> {
      let element = row &* channels &+ channel
      let dy = outputGradient.base.vector(at: element)
      let normal = (input.base.vector(at: element) - mean.base[row]) * inverseDeviation.base[row]
      return TwoTerms<S>(dy, dy * normal)
    }
    @inline(__always) func store(_ channel: Int, _ sums: TwoTerms<S>) {
      betaGradient.base.setVector(sums.first, at: channel, channel: channel, of: channels)
      gammaGradient.base.setVector(sums.second, at: channel, channel: channel, of: channels)
    }
    forEachColumnSum(rows: rows, channels: channels, terms, result: store)
    for row in 0..<rows {
      layerNormRowGradient(
        input.base + row &* channels, outputGradient.base + row &* channels, channels: channels,
        gamma.base, mean: mean.base[row], inverse: inverseDeviation.base[row],
        into: inputGradient.base + row &* channels)
    }
  }
  run()
}

@inline(__always)
private func layerNormRowGradient<S: Scalar>(
  _ x: UnsafeMutablePointer<S>, _ dy: UnsafeMutablePointer<S>, channels: Int,
  _ gamma: UnsafeMutablePointer<S>, mean: S, inverse: S, into dx: UnsafeMutablePointer<S>
) {
  let share = 1 / S(channels)
  @inline(__always) func g(_ channel: Int) -> S.Vector {
    dy.vector(at: channel) * gamma.vector(at: channel)
  }
  @inline(__always) func normal(_ channel: Int) -> S.Vector {
    (x.vector(at: channel) - mean) * inverse
  }
  @inline(__always) func product(_ channel: Int) -> S.Vector { g(channel) * normal(channel) }
  let shift: S = sumAlongRow(channels, g) * share
  let slope: S = sumAlongRow(channels, product) * share
  @inline(__always) func value(_ channel: Int) -> S.Vector {
    (g(channel) - shift - normal(channel) * slope) * inverse
  }
  fillByVectors(dx, count: channels, value)
}
