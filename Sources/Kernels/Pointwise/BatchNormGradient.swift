import Graph
import Storage

// Shapes: R rows (every position of every sample of a micro-shard), C channels.
// g is the gradient by the normalised value: outputGradient, or 0 where a fused relu is off.

/// The gradients of `batchNorm`.
///
///     betaGradient[c] = sum over r of g[r, c]
///     gammaGradient[c] = sum over r of g[r, c] * normal[r, c]
///     inputGradient = gamma * inverseDeviation * (g - betaGradient / R - normal * gammaGradient / R)
///
/// with `normal = (input - mean) * inverseDeviation`.
///
/// Source: Ioffe and Szegedy, "Batch normalization", ICML 2015, section 3.
///
/// - Parameters:
///   - output: What `batchNorm` wrote; needed if a relu was fused.
///   - activation: `.identity` or `.relu`.
///   - inputGradient: `[R, C]`; the same block as `outputGradient`, `input` or `output`, or one that
///     overlaps none of them.
///   - gammaGradient: `[C]`, overwritten, as is `betaGradient`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func batchNormGradient<S: Scalar>(
  input: Block<S>, output: Block<S>?, outputGradient: Block<S>, rows: Int, channels: Int,
  gamma: Block<S>, mean: Block<S>, inverseDeviation: Block<S>, activation: Activation,
  into inputGradient: Block<S>, gammaGradient: Block<S>, betaGradient: Block<S>
) {
  @inline(never) func run() {
    @inline(__always) func statistics(_ channel: Int) -> ChannelStatistics<S> {
      ChannelStatistics(
        mean: mean.base.vector(at: channel), inverse: inverseDeviation.base.vector(at: channel))
    }
    let source = NormGradient(input, output, outputGradient, activation, rows, channels)
    source.parameterGradients(into: gammaGradient, betaGradient, statistics)
    source.fillInputGradient(
      inputGradient, gamma: gamma, statistics, gammaSum: gammaGradient, betaSum: betaGradient,
      share: 1 / S(max(rows, 1)))
  }
  run()
}

/// The gradients of `batchNormInference`, whose statistics are constants:
/// `inputGradient = g * gamma / sqrt(runningVariance + epsilon)`; the others as in `batchNormGradient`.
///
/// - Parameters:
///   - output: What `batchNormInference` wrote; needed if a relu was fused.
///   - activation: `.identity` or `.relu`.
///   - inputGradient: `[R, C]`; the same block as `outputGradient`, `input` or `output`, or one that
///     overlaps none of them.
///   - gammaGradient: `[C]`, overwritten, as is `betaGradient`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func batchNormInferenceGradient<S: Scalar>(
  input: Block<S>, output: Block<S>?, outputGradient: Block<S>, rows: Int, channels: Int,
  gamma: Block<S>, runningMean: Block<S>, runningVariance: Block<S>, epsilon: S,
  activation: Activation, into inputGradient: Block<S>, gammaGradient: Block<S>,
  betaGradient: Block<S>
) {
  @inline(never) func run() {
    @inline(__always) func statistics(_ channel: Int) -> ChannelStatistics<S> {
      ChannelStatistics(
        mean: runningMean.base.vector(at: channel),
        inverse: 1 / S.squareRoot(runningVariance.base.vector(at: channel) + epsilon))
    }
    @inline(__always) func factor(_ channel: Int) -> S.Vector {
      gamma.base.vector(at: channel) * statistics(channel).inverse
    }
    @inline(__always)
    func value(_ element: Int, _ factor: S.Vector, _ g: S.Vector) -> S.Vector { factor * g }
    let source = NormGradient(input, output, outputGradient, activation, rows, channels)
    source.parameterGradients(into: gammaGradient, betaGradient, statistics)
    source.fill(inputGradient, coefficients: factor, value: value)
  }
  run()
}

struct ChannelStatistics<S: Scalar> {
  let mean: S.Vector
  let inverse: S.Vector
}

private struct InputGradientMap<S: Scalar> {
  let mean: S.Vector
  let factor: S.Vector
  let shift: S.Vector
  let slope: S.Vector
}

/// What the gradients of all forms read.
struct NormGradient<S: Scalar> {
  private let input: UnsafeMutablePointer<S>
  /// Only if a relu was fused.
  private let output: UnsafeMutablePointer<S>?
  private let outputGradient: UnsafeMutablePointer<S>
  private let rows: Int
  private let channels: Int

  @inline(__always)
  init(
    _ input: Block<S>, _ output: Block<S>?, _ outputGradient: Block<S>, _ activation: Activation,
    _ rows: Int, _ channels: Int
  ) {
    precondition(activation == .identity || activation == .relu, "\(activation) cannot be fused")
    precondition(activation == .identity || output != nil, "a fused relu needs the output")
    precondition(rows * channels <= input.count, "\(rows) rows in \(input.count)")
    self.input = input.base
    self.output = activation == .relu ? output?.base : nil
    self.outputGradient = outputGradient.base
    self.rows = rows
    self.channels = channels
  }

  @inline(__always)
  func parameterGradients(
    into gammaGradient: Block<S>, _ betaGradient: Block<S>,
    _ statistics: (Int) -> ChannelStatistics<S>
  ) {
    @inline(__always) func terms(_ g: S.Vector, _ element: Int, _ channel: Int) -> TwoTerms<S> {
      TwoTerms(g, g * (input.vector(at: element) - statistics(channel).mean))
    }
    @inline(__always) func plain(_ stream: Int, _ row: Int, _ channel: Int) -> TwoTerms<S> {
      let element = row &* channels &+ channel
      return terms(outputGradient.vector(at: element), element, channel)
    }
    @inline(__always) func store(_ channel: Int, _ sums: TwoTerms<S>) {
      betaGradient.base.setVector(sums.first, at: channel, channel: channel, of: channels)
      gammaGradient.base.setVector(
        sums.second * statistics(channel).inverse, at: channel, channel: channel, of: channels)
    }
    guard let output else {
      forEachColumnSum(rows: rows, channels: channels, plain, result: store)
      return
    }
    @inline(__always) func rectified(_ stream: Int, _ row: Int, _ channel: Int) -> TwoTerms<S> {
      let element = row &* channels &+ channel
      let g = S.rectifiedGradient(
        outputGradient.vector(at: element), output: output.vector(at: element))
      return terms(g, element, channel)
    }
    forEachColumnSum(rows: rows, channels: channels, rectified, result: store)
  }

  /// The gradient by what was normalised with statistics of a batch.
  ///
  /// - Parameters:
  ///   - gammaSum: Over all rows that the statistics were taken of, as is `betaSum`.
  ///   - share: One over the number of those rows.
  @inline(__always)
  func fillInputGradient(
    _ inputGradient: Block<S>, gamma: Block<S>, _ statistics: (Int) -> ChannelStatistics<S>,
    gammaSum: Block<S>, betaSum: Block<S>, share: S
  ) {
    @inline(__always) func map(_ channel: Int) -> InputGradientMap<S> {
      let (mean, inverse) = (statistics(channel).mean, statistics(channel).inverse)
      return InputGradientMap(
        mean: mean, factor: gamma.base.vector(at: channel) * inverse,
        shift: betaSum.base.vector(at: channel) * share,
        slope: gammaSum.base.vector(at: channel) * inverse * share)
    }
    @inline(__always)
    func value(_ element: Int, _ map: InputGradientMap<S>, _ g: S.Vector) -> S.Vector {
      let centered = map.mean - input.vector(at: element)
      return map.factor * S.multiplyAdd(centered, map.slope, g - map.shift)
    }
    fill(inputGradient, coefficients: map, value: value)
  }

  /// - Parameters:
  ///   - value: Of (element, coefficients, g).
  @inline(__always)
  func fill<Coefficients>(
    _ inputGradient: Block<S>, coefficients: (Int) -> Coefficients,
    value: (Int, Coefficients, S.Vector) -> S.Vector
  ) {
    @inline(__always) func plain(_ element: Int, _ map: Coefficients) -> S.Vector {
      value(element, map, outputGradient.vector(at: element))
    }
    guard let output else {
      fillByColumns(
        inputGradient.base, rows: rows, channels: channels, coefficients: coefficients,
        value: plain)
      return
    }
    @inline(__always) func rectified(_ element: Int, _ map: Coefficients) -> S.Vector {
      let g = S.rectifiedGradient(
        outputGradient.vector(at: element), output: output.vector(at: element))
      return value(element, map, g)
    }
    fillByColumns(
      inputGradient.base, rows: rows, channels: channels, coefficients: coefficients,
      value: rectified)
  }
}
