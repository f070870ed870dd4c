import Graph
import Storage

// Shapes: R rows (positions), C channels.

/// `output[r, c] = input[r, c] > 0 ? input[r, c] : slope[c] * input[r, c]`.
///
/// Source: He et al., "Delving deep into rectifiers", ICCV 2015, equation 1.
///
/// - Parameters:
///   - input: `[R, C]`.
///   - slope: `[C]`, or `[1]` for all channels.
///   - output: `[R, C]`; the same block as `input` or one that does not overlap it.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func prelu<S: Scalar>(
  input: Block<S>, rows: Int, channels: Int, slope: Block<S>, into output: Block<S>
) {
  @inline(never) func run() {
    precondition(rows * channels <= min(input.count, output.count), "\(rows) rows")
    let isShared = slope.count == 1
    @inline(__always) func factor(_ channel: Int) -> S.Vector {
      isShared ? S.Vector(repeating: slope.base[0]) : slope.base.vector(at: channel)
    }
    @inline(__always) func value(_ element: Int, _ factor: S.Vector) -> S.Vector {
      let x = input.base.vector(at: element)
      return S.ifAtMost(x, S.zeros, then: x * factor, else: x)
    }
    fillByColumns(
      output.base, rows: rows, channels: channels, coefficients: factor, value: value)
  }
  run()
}

/// The gradients of `prelu`; at the corner both are those of the negative side.
///
///     inputGradient[r, c] = outputGradient[r, c] * (input[r, c] > 0 ? 1 : slope[c])
///     slopeGradient[c] = sum over r of outputGradient[r, c] * min(input[r, c], 0)
///
/// - Parameters:
///   - inputGradient: `[R, C]`; the same block as `outputGradient` or one that overlaps none of the others.
///   - slopeGradient: `[C]`, or `[1]`: the sum over all channels.
///   - scratch: `[C]`, overwritten.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func preluGradient<S: Scalar>(
  input: Block<S>, outputGradient: Block<S>, rows: Int, channels: Int, slope: Block<S>,
  into inputGradient: Block<S>, slopeGradient: Block<S>, scratch: Block<S>
) {
  @inline(never) func run() {
    precondition(rows * channels <= min(input.count, inputGradient.count), "\(rows) rows")
    let isShared = slope.count == 1
    let sums = isShared ? scratch.prefix(channels) : slopeGradient
    @inline(__always) func term(_ stream: Int, _ row: Int, _ channel: Int) -> OneTerm<S> {
      let element = row &* channels &+ channel
      let x = input.base.vector(at: element)
      let negative = S.ifAtMost(x, S.zeros, then: x, else: S.zeros)
      return OneTerm<S>(negative * outputGradient.base.vector(at: element))
    }
    @inline(__always) func store(_ channel: Int, _ sum: OneTerm<S>) {
      sums.base.setVector(sum.value, at: channel, channel: channel, of: channels)
    }
    forEachColumnSum(rows: rows, channels: channels, term, result: store)
    if isShared { slopeGradient.base[0] = sumAlongRow(channels, sums.base.vector) }
    @inline(__always) func factor(_ channel: Int) -> S.Vector {
      isShared ? S.Vector(repeating: slope.base[0]) : slope.base.vector(at: channel)
    }
    @inline(__always) func value(_ element: Int, _ factor: S.Vector) -> S.Vector {
      let dy = outputGradient.base.vector(at: element)
      return S.ifAtMost(input.base.vector(at: element), S.zeros, then: dy * factor, else: dy)
    }
    fillByColumns(
      inputGradient.base, rows: rows, channels: channels, coefficients: factor, value: value)
  }
  run()
}
