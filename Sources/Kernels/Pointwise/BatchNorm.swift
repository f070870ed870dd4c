import Graph
import Storage

// Shapes: R rows (every position of every sample of a micro-shard), C channels.

/// Training: normalises every channel by the statistics of these rows.
///
///     mean[c] = sum over r of input[r, c] / R
///     inverseDeviation[c] = 1 / sqrt(sum over r of (input[r, c] - mean[c])^2 / R + epsilon)
///     output[r, c] = f((input[r, c] - mean[c]) * (gamma[c] * inverseDeviation[c]) + beta[c])
///
/// Reads the input twice. The fused activation gives the same bits as one applied afterwards.
///
/// Source: Ioffe and Szegedy, "Batch normalization", ICML 2015, algorithm 1.
///
/// - Parameters:
///   - input: `[R, C]`.
///   - activation: `.identity` or `.relu`.
///   - output: `[R, C]`; the same block as `input` or one that does not overlap it.
///   - mean: `[C]`, written, as are the next two.
///   - unbiasedVariance: Divided by R - 1 (at least 1), for the running statistics.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func batchNorm<S: Scalar>(
  input: Block<S>, rows: Int, channels: Int, gamma: Block<S>, beta: Block<S>, epsilon: S,
  activation: Activation, into output: Block<S>, mean: Block<S>, inverseDeviation: Block<S>,
  unbiasedVariance: Block<S>
) {
  @inline(never) func run() {
    precondition(
      rows * channels <= min(input.count, output.count), "\(rows) rows, \(channels) wide")
    @inline(__always) func store(_ channel: Int, _ moments: Moments<S>) {
      let deviation = S.squareRoot(moments.variance + epsilon)
      mean.base.setVector(moments.mean, at: channel, channel: channel, of: channels)
      inverseDeviation.base.setVector(1 / deviation, at: channel, channel: channel, of: channels)
      unbiasedVariance.base.setVector(
        moments.unbiasedVariance, at: channel, channel: channel, of: channels)
    }
    @inline(__always) func map(_ channel: Int) -> ChannelMap<S> {
      ChannelMap(
        mean: mean.base.vector(at: channel),
        factor: gamma.base.vector(at: channel) * inverseDeviation.base.vector(at: channel),
        offset: beta.base.vector(at: channel))
    }
    forEachColumnMoments(input, rows: rows, channels: channels, result: store)
    normalize(input, rows: rows, channels: channels, activation, into: output, map)
  }
  run()
}

/// Evaluation: normalises every channel by the running statistics.
///
/// `output[r, c] = f((input[r, c] - runningMean[c]) * gamma[c] / sqrt(runningVariance[c] + epsilon) + beta[c])`
///
/// A row's bits do not depend on the other rows.
///
/// - Parameters:
///   - input: `[R, C]`.
///   - activation: `.identity` or `.relu`.
///   - output: `[R, C]`; the same block as `input` or one that does not overlap it.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func batchNormInference<S: Scalar>(
  input: Block<S>, rows: Int, channels: Int, gamma: Block<S>, beta: Block<S>,
  runningMean: Block<S>, runningVariance: Block<S>, epsilon: S, activation: Activation,
  into output: Block<S>
) {
  @inline(never) func run() {
    precondition(
      rows * channels <= min(input.count, output.count), "\(rows) rows, \(channels) wide")
    @inline(__always) func map(_ channel: Int) -> ChannelMap<S> {
      ChannelMap(
        mean: runningMean.base.vector(at: channel),
        factor: gamma.base.vector(at: channel)
          * (1 / S.squareRoot(runningVariance.base.vector(at: channel) + epsilon)),
        offset: beta.base.vector(at: channel))
    }
    normalize(input, rows: rows, channels: channels, activation, into: output, map)
  }
  run()
}

/// `(x - mean) * factor + offset`: the mean goes first, or a large one would cancel badly.
struct ChannelMap<S: Scalar> {
  let mean: S.Vector
  let factor: S.Vector
  let offset: S.Vector

  @inline(__always)
  func callAsFunction(_ x: S.Vector) -> S.Vector { S.multiplyAdd(x - mean, factor, offset) }
}

/// `output[r, c] = f(map(c)(input[r, c]))` for all rows and channels.
@inline(__always)
func normalize<S: Scalar>(
  _ input: Block<S>, rows: Int, channels: Int, _ activation: Activation, into output: Block<S>,
  _ map: (Int) -> ChannelMap<S>
) {
  precondition(activation == .identity || activation == .relu, "\(activation) cannot be fused")
  @inline(__always) func plain(_ element: Int, _ map: ChannelMap<S>) -> S.Vector {
    map(input.base.vector(at: element))
  }
  @inline(__always) func rectified(_ element: Int, _ map: ChannelMap<S>) -> S.Vector {
    S.rectified(map(input.base.vector(at: element)))
  }
  if activation == .relu {
    fillByColumns(
      output.base, rows: rows, channels: channels, coefficients: map, value: rectified)
  } else {
    fillByColumns(output.base, rows: rows, channels: channels, coefficients: map, value: plain)
  }
}
