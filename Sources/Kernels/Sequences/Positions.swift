import Foundation
import Storage

// Shapes: N sequences of T steps of C channels.

/// `output[n] = input[n] + table` for every sequence; the table, `[T, C]`, says where in the sequence a step is.
///
/// - Parameter output: May be `input`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func addPositions<S: Scalar>(
  _ input: Block<S>, table: Block<S>, sequences: Int, into output: Block<S>
) {
  let count = table.count
  for sequence in 0..<sequences {
    let range = sequence * count..<(sequence + 1) * count
    addBlocks(input[range], table, into: output[range])
  }
}

/// `table[t, 2 i] = sin(t / 10000^(2 i / C))`, `table[t, 2 i + 1]` the cosine of the same.
///
/// Source: Vaswani et al., "Attention is all you need", 2017, section 3.5.
package func sinusoidalPositions(steps: Int, channels: Int) -> [Double] {
  (0..<steps * channels).map { index in
    let (step, channel) = (index / channels, index % channels)
    let angle = Double(step) / pow(10_000, Double(channel / 2 * 2) / Double(channels))
    return channel % 2 == 0 ? sin(angle) : cos(angle)
  }
}

/// `table[t, i] = (cos, sin)(t / base^(2 i / D))`, `[T, D]`: D / 2 cosines, then D / 2 sines.
package func rotaryTable(steps: Int, headSize: Int, base: Double) -> [Double] {
  (0..<steps * headSize).map { index in
    let (step, place) = (index / headSize, index % headSize)
    let half = headSize / 2
    let angle = Double(step) / pow(base, Double(2 * (place % half)) / Double(headSize))
    return place < half ? cos(angle) : sin(angle)
  }
}

/// Turns pairs of channels (i, i + D / 2) of every head by an angle that grows with the step; what follows the heads
/// is copied.
///
/// Source: Su et al., "RoFormer: enhanced transformer with rotary position embedding", 2021, equation 34 (with the
/// halves of a head as the pairs).
///
/// - Parameters:
///   - input: `[N, T, width]`, `heads` heads of D channels first.
///   - table: Of `rotaryTable`, `[T, D]`.
///   - direction: 1, or -1 for the gradient.
///   - output: As `input`; may be it.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func rotate<S: Scalar>(
  _ input: Block<S>, sequences: Int, steps: Int, width: Int, heads: Int, headSize: Int,
  table: Block<S>, direction: S, into output: Block<S>
) {
  let half = headSize / 2
  for row in 0..<sequences * steps {
    let angles = table.base + row % steps * headSize
    let (x, y) = (input.base + row * width, output.base + row * width)
    for head in 0..<heads {
      for index in 0..<half {
        let (low, high) = (head * headSize + index, head * headSize + index + half)
        let (a, b) = (x[low], x[high])
        let (cosine, sine) = (angles[index], angles[index + half] * direction)
        y[low] = a * cosine - b * sine
        y[high] = a * sine + b * cosine
      }
    }
    let turned = heads * headSize
    if x != y, turned < width { (y + turned).update(from: x + turned, count: width - turned) }
  }
}

/// Puts one more step at the front of every sequence: `output[n] = [step, input[n]]`.
///
/// - Parameters:
///   - step: `[stepElements]`, the same for all.
///   - input: `[N, elements]`; must not overlap `output`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func prependStep<S: Scalar>(
  _ step: Block<S>, to input: Block<S>, sequences: Int, stepElements: Int, elements: Int,
  into output: Block<S>
) {
  for sequence in 0..<sequences {
    let start = sequence * (stepElements + elements)
    output[start..<start + stepElements].copy(from: step)
    output[start + stepElements..<start + stepElements + elements].copy(
      from: input[sequence * elements..<(sequence + 1) * elements])
  }
}

/// The gradients of `prependStep`.
///
/// - Parameter stepGradient: Added up over the sequences in their order, overwritten.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func prependStepGradient<S: Scalar>(
  _ outputGradient: Block<S>, sequences: Int, stepElements: Int, elements: Int,
  into inputGradient: Block<S>, stepGradient: Block<S>
) {
  stepGradient.fill(0)
  for sequence in 0..<sequences {
    let start = sequence * (stepElements + elements)
    accumulate(outputGradient[start..<start + stepElements], into: stepGradient)
    inputGradient[sequence * elements..<(sequence + 1) * elements].copy(
      from: outputGradient[start + stepElements..<start + stepElements + elements])
  }
}
