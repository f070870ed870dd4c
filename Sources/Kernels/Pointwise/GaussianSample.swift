import Foundation
import Randomness
import Storage

// A draw from a normal distribution whose mean and variance a network gives, and what keeps that distribution near the
// standard one. Shapes: R samples, P positions, C channels of a draw. The input holds mu and v = log sigma^2 side by side.

/// `output = mu + exp(v / 2) e` with e from N(0, 1).
///
/// e depends on the stream, the step, the sample and the element alone. Elements 2k and 2k + 1 of a sample share the Philox
/// block of the counter `(k, sample, step, upper halves)`, of which u and w are the first two words as numbers in (0, 1]:
/// their draws are `sqrt(-2 ln u)` times `cos(2 pi w)` and `sin(2 pi w)`.
///
/// Source: Kingma and Welling, "Auto-encoding variational Bayes", ICLR 2014, section 2.4; Box and Muller, "A note on the
/// generation of random normal deviates", Annals of Mathematical Statistics 29 (1958).
///
/// - Parameters:
///   - input: `[R, P, 2 C]`.
///   - firstSample: Position of row 0 in the batch.
///   - output: `[R, P, C]`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func gaussianSample<S: Scalar>(
  input: Block<S>, rows: Int, positions: Int, channels: Int, stream: Philox, step: UInt64,
  firstSample: UInt64, into output: Block<S>
) {
  precondition(2 * rows * positions * channels <= input.count, "\(rows) rows")
  for row in 0..<rows {
    for element in 0..<positions * channels {
      let (position, channel) = (element / channels, element % channels)
      let mean = input.base + (row * positions + position) * 2 * channels + channel
      let e = normalDraw(stream, element, sample: firstSample &+ UInt64(row), step: step)
      output.base[row * positions * channels + element] =
        mean[0] + S(exp(Double(mean[channels]) / 2) * e)
    }
  }
}

/// `dmu = dy`, `dv = dy e exp(v / 2) / 2`, with the same draws.
///
/// - Parameters:
///   - input: `[R, P, 2 C]`.
///   - outputGradient: dy, `[R, P, C]`.
///   - gradient: `[R, P, 2 C]`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func gaussianSampleGradient<S: Scalar>(
  input: Block<S>, outputGradient: Block<S>, rows: Int, positions: Int, channels: Int,
  stream: Philox, step: UInt64, firstSample: UInt64, into gradient: Block<S>
) {
  precondition(2 * rows * positions * channels <= input.count, "\(rows) rows")
  for row in 0..<rows {
    for element in 0..<positions * channels {
      let (position, channel) = (element / channels, element % channels)
      let place = (row * positions + position) * 2 * channels + channel
      let dy = outputGradient.base[row * positions * channels + element]
      let e = normalDraw(stream, element, sample: firstSample &+ UInt64(row), step: step)
      gradient.base[place] = dy
      gradient.base[place + channels] =
        dy * S(e * exp(Double(input.base[place + channels]) / 2) / 2)
    }
  }
}

/// `losses[r] = sum (mu^2 + exp(v) - v - 1) / 2` over positions and channels: the divergence from N(0, 1).
///
/// Source: Kingma and Welling, appendix B.
///
/// - Parameters:
///   - outputs: `[R, P, 2 C]`.
///   - scale: Factor of the gradient.
///   - losses: `[R]`, not scaled.
///   - gradient: `[R, P, 2 C]`: `mu` and `(exp(v) - 1) / 2`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func gaussianDivergence<S: Scalar>(
  outputs: Block<S>, rows: Int, positions: Int, channels: Int, scale: S, losses: Block<S>,
  gradient: Block<S>?
) {
  precondition(2 * rows * positions * channels <= outputs.count, "\(rows) rows")
  for row in 0..<rows {
    var sum = 0.0
    for position in row * positions..<(row + 1) * positions {
      let start = position * 2 * channels
      for index in start..<start + channels {
        let (mean, logVariance) = (outputs.base[index], outputs.base[index + channels])
        // Less than exp(v) - 1 - v, of which little is left near 0.
        let growth = expm1(Double(logVariance))
        sum += (Double(mean) * Double(mean) + growth - Double(logVariance)) / 2
        guard let gradient else { continue }
        gradient.base[index] = scale * mean
        gradient.base[index + channels] = scale * S(growth / 2)
      }
    }
    losses.base[row] = S(sum)
  }
}

/// Element `element` of a sample's draws from N(0, 1).
@inline(__always)
private func normalDraw(
  _ stream: Philox, _ element: Int, sample: UInt64, step: UInt64
) -> Double {
  let bits = stream.block(
    SIMD4(
      UInt32(truncatingIfNeeded: element / 2), UInt32(truncatingIfNeeded: sample),
      UInt32(truncatingIfNeeded: step),
      UInt32(truncatingIfNeeded: (sample >> 32) << 16 | ((step >> 32) & 0xFFFF))))
  let (u, w) = ((Double(bits[0]) + 1) * 0x1p-32, (Double(bits[1]) + 1) * 0x1p-32)
  let length = (-2 * log(u)).squareRoot()
  return length * (element.isMultiple(of: 2) ? cos(2 * .pi * w) : sin(2 * .pi * w))
}
