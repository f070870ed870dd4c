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
  precondition(rows * channels <= min(input.count, output.count), "\(rows) rows, \(channels) wide")
  for row in 0..<rows {
    let x = input.base + row &* channels
    let sum: S = sumAlongRow(channels) { x.vector(at: $0) }
    let average = sum / S(channels)
    let squares: S = sumAlongRow(channels) { channel in
      let deviation = x.vector(at: channel) - average
      return deviation * deviation
    }
    let inverse = 1 / (squares / S(channels) + epsilon).squareRoot()
    mean.base[row] = average
    inverseDeviation.base[row] = inverse
    fillByVectors(output.base + row &* channels, count: channels) { channel in
      beta.base.vector(at: channel)
        .addingProduct((x.vector(at: channel) - average) * inverse, gamma.base.vector(at: channel))
    }
  }
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
  precondition(rows * channels <= input.count, "\(rows) rows in \(input.count)")
  forEachColumnSum(rows: rows, channels: channels) { _, row, channel in
    let element = row &* channels &+ channel
    let dy = outputGradient.base.vector(at: element)
    let normal = (input.base.vector(at: element) - mean.base[row]) * inverseDeviation.base[row]
    return TwoTerms<S>(dy, dy * normal)
  } result: { channel, sums in
    betaGradient.base.setVector(sums.first, at: channel, channel: channel, of: channels)
    gammaGradient.base.setVector(sums.second, at: channel, channel: channel, of: channels)
  }
  for row in 0..<rows {
    layerNormRowGradient(
      input.base + row &* channels, outputGradient.base + row &* channels, channels: channels,
      gamma.base, mean: mean.base[row], inverse: inverseDeviation.base[row],
      into: inputGradient.base + row &* channels)
  }
}

@inline(__always)
private func layerNormRowGradient<S: Scalar>(
  _ x: UnsafeMutablePointer<S>, _ dy: UnsafeMutablePointer<S>, channels: Int,
  _ gamma: UnsafeMutablePointer<S>, mean: S, inverse: S, into dx: UnsafeMutablePointer<S>
) {
  let share = 1 / S(channels)
  let sum: S = sumAlongRow(channels) { dy.vector(at: $0) * gamma.vector(at: $0) }
  let product: S = sumAlongRow(channels) { channel in
    dy.vector(at: channel) * gamma.vector(at: channel) * ((x.vector(at: channel) - mean) * inverse)
  }
  let (shift, slope) = (sum * share, product * share)
  fillByVectors(dx, count: channels) { channel in
    let normal = (x.vector(at: channel) - mean) * inverse
    return (dy.vector(at: channel) * gamma.vector(at: channel) - shift - normal * slope) * inverse
  }
}
