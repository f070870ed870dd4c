import Graph
import Storage

// Shapes: R rows (every position of every sample of a micro-shard), N rows in the whole batch, C channels.
// g is the gradient by the normalised value: outputGradient, or 0 where a fused relu is off.

/// The gradients of `wholeBatchNorm` by its parameters, of a micro-shard's own rows.
///
///     betaGradient[c] = sum over r of g[r, c]
///     gammaGradient[c] = sum over r of g[r, c] * (input[r, c] - mean[c]) * inverseDeviation[c]
///
/// - Parameters:
///   - output: What `wholeBatchNorm` wrote; needed if a relu was fused.
///   - mean: `[C]`, of the whole batch, as `inverseDeviation`.
///   - activation: `.identity` or `.relu`.
///   - shares: `[2C]`, written: gamma's gradient, then beta's. Added up over all micro-shards they are what
///     `wholeBatchNormGradient` needs.
///   - gammaGradient: `[C]`, overwritten, as is `betaGradient`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func wholeBatchNormShares<S: Scalar>(
  input: Block<S>, output: Block<S>?, outputGradient: Block<S>, rows: Int, channels: Int,
  mean: Block<S>, inverseDeviation: Block<S>, activation: Activation, into shares: Block<S>,
  gammaGradient: Block<S>, betaGradient: Block<S>
) {
  @inline(never) func run() {
    @inline(__always) func statistics(_ channel: Int) -> ChannelStatistics<S> {
      ChannelStatistics(
        mean: mean.base.vector(at: channel), inverse: inverseDeviation.base.vector(at: channel))
    }
    NormGradient(input, output, outputGradient, activation, rows, channels)
      .parameterGradients(into: gammaGradient, betaGradient, statistics)
    shares[0..<channels].copy(from: gammaGradient)
    shares[channels..<2 * channels].copy(from: betaGradient)
  }
  run()
}

/// The gradient of `wholeBatchNorm` by its input.
///
///     inputGradient = gamma * inverseDeviation * (g - betaSum / N - normal * gammaSum / N)
///
/// with `normal = (input - mean) * inverseDeviation`.
///
/// Source: Ioffe and Szegedy, "Batch normalization", ICML 2015, section 3.
///
/// - Parameters:
///   - output: What `wholeBatchNorm` wrote; needed if a relu was fused.
///   - sums: `[2C]`, the shares of all micro-shards: gammaSum, then betaSum.
///   - batchRows: N.
///   - activation: `.identity` or `.relu`.
///   - inputGradient: `[R, C]`; the same block as `outputGradient`, `input` or `output`, or one that
///     overlaps none of them.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func wholeBatchNormGradient<S: Scalar>(
  input: Block<S>, output: Block<S>?, outputGradient: Block<S>, rows: Int, channels: Int,
  gamma: Block<S>, mean: Block<S>, inverseDeviation: Block<S>, sums: Block<S>, batchRows: Int,
  activation: Activation, into inputGradient: Block<S>
) {
  @inline(never) func run() {
    @inline(__always) func statistics(_ channel: Int) -> ChannelStatistics<S> {
      ChannelStatistics(
        mean: mean.base.vector(at: channel), inverse: inverseDeviation.base.vector(at: channel))
    }
    NormGradient(input, output, outputGradient, activation, rows, channels).fillInputGradient(
      inputGradient, gamma: gamma, statistics, gammaSum: sums[0..<channels],
      betaSum: sums[channels..<2 * channels], share: 1 / S(max(batchRows, 1)))
  }
  run()
}
