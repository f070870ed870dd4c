import CVectors
import Randomness
import Storage

// Shapes: R rows (samples), E elements per sample ("channels").

/// Inverted dropout: `output[r, e] = keeps(r, e) ? input[r, e] / (1 - rate) : 0`.
///
/// Whether element e of sample s (row 0 is `firstSample`) is kept depends on the stream, the step, s and
/// e alone, so samples may be computed in any grouping and on any rank. The gradient is the same call on
/// the gradient. An element compares 16 random bits with the rate, which is thereby rounded to a
/// multiple of 2^-16; the factor 1 / (1 - rate) is not.
///
/// Element e takes the half-word `h = e % 128 / 16` (low half of word h / 2 first, then its high half)
/// of the Philox block with the counter `(e / 128 * 16 + e % 16, s, step, upper halves)`; the last word
/// holds bits 32 to 47 of s above bits 32 to 47 of the step.
///
/// Source: Srivastava et al., "Dropout", JMLR 15 (2014), section 10 (the inverted form).
///
/// - Parameters:
///   - input: `[R, E]`.
///   - rate: The probability of dropping.
///   - firstSample: Position of row 0 in the batch.
///   - output: `[R, E]`; the same block as `input` or one that does not overlap it.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func dropout<S: Scalar>(
  input: Block<S>, rows: Int, channels: Int, rate: Double, stream: Philox, step: UInt64,
  firstSample: UInt64, into output: Block<S>
) {
  @inline(never) func run() {
    precondition(
      rows * channels <= min(input.count, output.count), "\(rows) rows, \(channels) wide")
    precondition((0..<1).contains(rate), "dropout with rate \(rate)")
    let threshold = UInt32((rate * 65536).rounded())
    let factor = S(1 / (1 - rate))
    for row in 0..<rows {
      let sample = firstSample &+ UInt64(row)
      let rest = dropoutCounter(sample: sample, step: step)
      var element = 0
      while element < channels {
        let lanes = PhiloxLanes(stream, first: UInt32(element / 8), rest: rest)
        let count = min(128, channels &- element)
        dropGroup(
          input.base + (row &* channels &+ element), count: count, lanes, below: threshold,
          factor: factor, into: output.base + (row &* channels &+ element))
        element &+= 128
      }
    }
  }
  run()
}

/// The three words of a counter that are the same for all elements of a sample.
@inline(__always)
private func dropoutCounter(sample: UInt64, step: UInt64) -> (UInt32, UInt32, UInt32) {
  let upper = (sample >> 32) << 16 | ((step >> 32) & 0xFFFF)
  return (
    UInt32(truncatingIfNeeded: sample), UInt32(truncatingIfNeeded: step),
    UInt32(truncatingIfNeeded: upper)
  )
}

/// Up to 128 elements: sixteen for each half of the four words.
@inline(__always)
private func dropGroup<S: Scalar>(
  _ source: UnsafeMutablePointer<S>, count: Int, _ lanes: PhiloxLanes, below threshold: UInt32,
  factor: S, into target: UnsafeMutablePointer<S>
) {
  dropPair(source, count, lanes.words.0, at: 0, threshold, factor, target)
  dropPair(source, count, lanes.words.1, at: 32, threshold, factor, target)
  dropPair(source, count, lanes.words.2, at: 64, threshold, factor, target)
  dropPair(source, count, lanes.words.3, at: 96, threshold, factor, target)
}

/// The elements `start..<start + 32` of a group, as far as there are any.
@inline(__always)
private func dropPair<S: Scalar>(
  _ source: UnsafeMutablePointer<S>, _ count: Int, _ words: PhiloxLanes.Words, at start: Int,
  _ threshold: UInt32, _ factor: S, _ target: UnsafeMutablePointer<S>
) {
  let (low, high) = (vectorLowHalfWords(words), vectorHighHalfWords(words))
  dropUpToSixteen(source, count, low, at: start, threshold, factor, target)
  dropUpToSixteen(source, count, high, at: start &+ 16, threshold, factor, target)
}

@inline(__always)
private func dropUpToSixteen<S: Scalar>(
  _ source: UnsafeMutablePointer<S>, _ count: Int, _ bits: SIMD16<UInt32>, at start: Int,
  _ threshold: UInt32, _ factor: S, _ target: UnsafeMutablePointer<S>
) {
  if start &+ 16 <= count {
    S.dropSixteen(
      source + start, bits: bits, below: threshold, factor: factor, into: target + start)
  } else {
    for lane in 0..<max(0, count &- start) {
      target[start &+ lane] = bits[lane] < threshold ? 0 : source[start &+ lane] * factor
    }
  }
}
