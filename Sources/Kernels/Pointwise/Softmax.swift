import Storage

// Shapes: R rows, C channels. A row's bits do not depend on the other rows.

/// `output[r, c] = e^(input[r, c] - m) / sum over k of e^(input[r, k] - m)`, m the row's largest number.
///
/// - Parameters:
///   - input: `[R, C]`.
///   - output: `[R, C]`; the same block as `input` or one that does not overlap it.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func softmax<S: Scalar>(input: Block<S>, rows: Int, channels: Int, into output: Block<S>) {
  @inline(never) func run() {
    precondition(
      rows * channels <= min(input.count, output.count), "\(rows) rows, \(channels) wide")
    for row in 0..<rows {
      let x = input.base + row &* channels
      let y = output.base + row &* channels
      let largest = largestInRow(x, channels)
      @inline(__always) func power(_ channel: Int) -> S.Vector {
        let power = S.exponential(x.vector(at: channel) - largest)
        y.setVector(power, at: channel, channel: channel, of: channels)
        return power
      }
      let sum: S = sumAlongRow(channels, power)
      let share = 1 / sum
      @inline(__always) func probability(_ channel: Int) -> S.Vector {
        y.vector(at: channel) * share
      }
      fillByVectors(y, count: channels, probability)
    }
  }
  run()
}

/// `inputGradient[r, c] = output[r, c] * (outputGradient[r, c] - sum over k of output[r, k] * outputGradient[r, k])`.
///
/// - Parameters:
///   - output: What `softmax` wrote, `[R, C]`.
///   - inputGradient: `[R, C]`; the same block as `outputGradient` or `output`, or one that overlaps
///     neither.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func softmaxGradient<S: Scalar>(
  output: Block<S>, outputGradient: Block<S>, rows: Int, channels: Int,
  into inputGradient: Block<S>
) {
  @inline(never) func run() {
    precondition(rows * channels <= min(output.count, inputGradient.count), "\(rows) rows")
    for row in 0..<rows {
      let y = output.base + row &* channels
      let dy = outputGradient.base + row &* channels
      @inline(__always) func product(_ channel: Int) -> S.Vector {
        y.vector(at: channel) * dy.vector(at: channel)
      }
      let mean: S = sumAlongRow(channels, product)
      @inline(__always) func value(_ channel: Int) -> S.Vector {
        y.vector(at: channel) * (dy.vector(at: channel) - mean)
      }
      fillByVectors(inputGradient.base + row &* channels, count: channels, value)
    }
  }
  run()
}
