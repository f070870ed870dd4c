import Graph
import Storage

// Shapes: R rows (every position of every sample of a micro-shard), N rows in the whole batch, C channels.
//
// Batch norm whose statistics are those of the whole batch, in parts. What a part calls a share is added up over all
// micro-shards before the next part reads it. With one micro-shard the bits are those of `batchNorm`.

/// The moments of a micro-shard's own rows.
///
///     mean[c] = sum over r of input[r, c] / R
///     squares[c] = sum over r of (input[r, c] - mean[c])^2
///     meanShare[c] = share * mean[c]
///
/// Without rows all of them are 0.
///
/// - Parameters:
///   - input: `[R, C]`.
///   - share: R / N; the shares add up to the mean over all N rows.
///   - meanShare: `[C]`, written, as are the next two.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func batchMoments<S: Scalar>(
  input: Block<S>, rows: Int, channels: Int, share: S, meanShare: Block<S>, mean: Block<S>,
  squares: Block<S>
) {
  @inline(never) func run() {
    precondition(rows * channels <= input.count, "\(rows) rows in \(input.count)")
    @inline(__always) func store(_ channel: Int, _ moments: Moments<S>) {
      meanShare.base.setVector(moments.mean * share, at: channel, channel: channel, of: channels)
      mean.base.setVector(moments.mean, at: channel, channel: channel, of: channels)
      squares.base.setVector(
        moments.squaredDeviations, at: channel, channel: channel, of: channels)
    }
    forEachColumnMoments(input, rows: rows, channels: channels, result: store)
  }
  run()
}

/// The squared deviations of a micro-shard's rows from the mean of the whole batch:
/// `squaresShare[c] = squares[c] + R * (mean[c] - batchMean[c])^2`.
///
/// Nothing is subtracted from a sum of squares, so a large mean costs no accuracy.
///
/// Source: Chan, Golub, LeVeque, "Algorithms for computing the sample variance", The American
/// Statistician 37 (1983), equation 2.1, for any number of sets.
///
/// - Parameters:
///   - mean: `[C]`, of the micro-shard's own rows, as `squares`.
///   - squaresShare: `[C]`; may be the block of `squares`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func batchSquares<S: Scalar>(
  batchMean: Block<S>, mean: Block<S>, squares: Block<S>, rows: Int, channels: Int,
  into squaresShare: Block<S>
) {
  @inline(never) func run() {
    precondition(channels <= min(squares.count, squaresShare.count), "\(channels) channels")
    @inline(__always) func value(_ channel: Int) -> S.Vector {
      let difference = mean.base.vector(at: channel) - batchMean.base.vector(at: channel)
      return S.multiplyAdd(
        difference * difference, S.Vector(repeating: S(rows)), squares.base.vector(at: channel))
    }
    fillByVectors(squaresShare.base, count: channels, value)
  }
  run()
}

/// Normalises every channel by the statistics of the whole batch.
///
///     inverseDeviation[c] = 1 / sqrt(squares[c] / N + epsilon)
///     output[r, c] = f((input[r, c] - mean[c]) * (gamma[c] * inverseDeviation[c]) + beta[c])
///
/// The fused activation gives the same bits as one applied afterwards.
///
/// Source: Ioffe and Szegedy, "Batch normalization", ICML 2015, algorithm 1.
///
/// - Parameters:
///   - input: `[R, C]`.
///   - mean: `[C]`, of all N rows.
///   - squares: `[C]`, squared deviations of all N rows from the mean.
///   - batchRows: N.
///   - activation: `.identity` or `.relu`.
///   - output: `[R, C]`; the same block as `input` or one that does not overlap it.
///   - inverseDeviation: `[C]`, written, as is the next.
///   - unbiasedVariance: Divided by N - 1 (at least 1), for the running statistics.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func wholeBatchNorm<S: Scalar>(
  input: Block<S>, rows: Int, channels: Int, gamma: Block<S>, beta: Block<S>, mean: Block<S>,
  squares: Block<S>, batchRows: Int, epsilon: S, activation: Activation, into output: Block<S>,
  inverseDeviation: Block<S>, unbiasedVariance: Block<S>
) {
  @inline(never) func run() {
    precondition(
      rows * channels <= min(input.count, output.count), "\(rows) rows, \(channels) wide")
    @inline(__always) func inverse(_ channel: Int) -> S.Vector {
      let variance = squares.base.vector(at: channel) / S(max(batchRows, 1))
      return 1 / S.squareRoot(variance + epsilon)
    }
    @inline(__always) func unbiased(_ channel: Int) -> S.Vector {
      squares.base.vector(at: channel) / S(max(batchRows &- 1, 1))
    }
    @inline(__always) func map(_ channel: Int) -> ChannelMap<S> {
      ChannelMap(
        mean: mean.base.vector(at: channel),
        factor: gamma.base.vector(at: channel) * inverseDeviation.base.vector(at: channel),
        offset: beta.base.vector(at: channel))
    }
    fillByVectors(inverseDeviation.base, count: channels, inverse)
    fillByVectors(unbiasedVariance.base, count: channels, unbiased)
    normalize(input, rows: rows, channels: channels, activation, into: output, map)
  }
  run()
}
