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
  let share = 1 / S(max(rows, 1))
  let x = input.base
  let source = NormGradient(input, output, outputGradient, activation, rows, channels)
  source.parameterGradients(
    into: gammaGradient, betaGradient, mean: { mean.base.vector(at: $0) },
    inverseDeviation: { inverseDeviation.base.vector(at: $0) })
  source.fill(inputGradient) { channel in
    let inverse = inverseDeviation.base.vector(at: channel)
    return InputGradientMap(
      mean: mean.base.vector(at: channel), factor: gamma.base.vector(at: channel) * inverse,
      shift: betaGradient.base.vector(at: channel) * share,
      slope: gammaGradient.base.vector(at: channel) * inverse * share)
  } value: { (element: Int, map: InputGradientMap<S>, g: S.Vector) in
    map.factor * (g - map.shift).addingProduct(map.mean - x.vector(at: element), map.slope)
  }
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
  let source = NormGradient(input, output, outputGradient, activation, rows, channels)
  source.parameterGradients(
    into: gammaGradient, betaGradient, mean: { runningMean.base.vector(at: $0) },
    inverseDeviation: { 1 / S.squareRoot(runningVariance.base.vector(at: $0) + epsilon) })
  source.fill(inputGradient) { channel in
    gamma.base.vector(at: channel)
      * (1 / S.squareRoot(runningVariance.base.vector(at: channel) + epsilon))
  } value: { (_, factor: S.Vector, g: S.Vector) in
    factor * g
  }
}

private struct InputGradientMap<S: Scalar> {
  let mean: S.Vector
  let factor: S.Vector
  let shift: S.Vector
  let slope: S.Vector
}

/// What the gradients of both forms read.
private struct NormGradient<S: Scalar> {
  let input: UnsafeMutablePointer<S>
  /// Only if a relu was fused.
  let output: UnsafeMutablePointer<S>?
  let outputGradient: UnsafeMutablePointer<S>
  let rows: Int
  let channels: Int

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
    into gammaGradient: Block<S>, _ betaGradient: Block<S>, mean: (Int) -> S.Vector,
    inverseDeviation: (Int) -> S.Vector
  ) {
    func store(channel: Int, sums: TwoTerms<S>) {
      betaGradient.base.setVector(sums.first, at: channel, channel: channel, of: channels)
      gammaGradient.base.setVector(
        sums.second * inverseDeviation(channel), at: channel, channel: channel, of: channels)
    }
    if let output {
      forEachColumnSum(rows: rows, channels: channels) { _, row, channel in
        let element = row &* channels &+ channel
        let g = S.rectifiedGradient(
          outputGradient.vector(at: element), output: output.vector(at: element))
        return TwoTerms<S>(g, g * (input.vector(at: element) - mean(channel)))
      } result: {
        store(channel: $0, sums: $1)
      }
    } else {
      forEachColumnSum(rows: rows, channels: channels) { _, row, channel in
        let element = row &* channels &+ channel
        let g = outputGradient.vector(at: element)
        return TwoTerms<S>(g, g * (input.vector(at: element) - mean(channel)))
      } result: {
        store(channel: $0, sums: $1)
      }
    }
  }

  /// - Parameters:
  ///   - value: Of (element, coefficients, g).
  @inline(__always)
  func fill<Coefficients>(
    _ inputGradient: Block<S>, coefficients: (Int) -> Coefficients,
    value: (Int, Coefficients, S.Vector) -> S.Vector
  ) {
    let dy = outputGradient
    let target = inputGradient.base
    if let output {
      fillByColumns(target, rows: rows, channels: channels, coefficients: coefficients) {
        let g = S.rectifiedGradient(dy.vector(at: $0), output: output.vector(at: $0))
        return value($0, $1, g)
      }
    } else {
      fillByColumns(target, rows: rows, channels: channels, coefficients: coefficients) {
        value($0, $1, dy.vector(at: $0))
      }
    }
  }
}
