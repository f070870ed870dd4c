import Graph
import Storage

// Shapes: R rows (positions), C channels. A row's bits do not depend on the other rows.

/// Damps a channel by the activity of its neighbours.
///
///     base[r, c] = k + alpha / size * sum over c' in c - size / 2 ... c + (size - 1) / 2 of input[r, c']^2
///     output[r, c] = input[r, c] * base[r, c]^-beta
///
/// Channels beyond the first and the last count as zeros.
///
/// Source: Krizhevsky et al., "ImageNet classification with deep convolutional neural networks", 2012, section
/// 3.3; alpha divided by the size as in PyTorch.
///
/// - Parameters:
///   - input: `[R, C]`.
///   - output: `[R, C]`, as is `base`; overlap none of the others.
///   - scratch: `localResponseNormScratchCount(window)` numbers.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func localResponseNorm<S: Scalar>(
  _ window: ResponseWindow, rows: Int, input: Block<S>, into output: Block<S>, base: Block<S>,
  scratch: Block<S>
) {
  @inline(never) func run() {
    let channels = window.channels
    precondition(rows * channels <= min(input.count, output.count, base.count), "\(rows) rows")
    let sums = WindowSums(window, scratch, zerosBefore: window.before)
    let (k, share, power) = (
      S.Vector(repeating: S(window.k)), S.Vector(repeating: S(window.alpha / Double(window.size))),
      S(-window.beta)
    )
    for row in 0..<rows {
      let x = input.base + row &* channels
      let (y, s) = (output.base + row &* channels, base.base + row &* channels)
      @inline(__always) func square(_ channel: Int) -> S.Vector {
        x.vector(at: channel) * x.vector(at: channel)
      }
      fillByVectors(sums.line, count: channels, square)
      @inline(__always) func divisor(_ channel: Int) -> S.Vector {
        S.multiplyAdd(sums.sum(channel), share, k)
      }
      fillByVectors(s, count: channels, divisor)
      @inline(__always) func value(_ channel: Int) -> S.Vector {
        x.vector(at: channel) * S.exponential(S.logarithm(s.vector(at: channel)) * power)
      }
      fillByVectors(y, count: channels, value)
    }
  }
  run()
}

/// The gradient of `localResponseNorm`.
///
///     share[r, c] = outputGradient[r, c] * input[r, c] * base[r, c]^(-beta - 1)
///     inputGradient[r, c] = outputGradient[r, c] * base[r, c]^-beta
///                         - 2 alpha beta / size * input[r, c] * sum of share[r, c'] over all c' that see c
///
/// - Parameters:
///   - inputGradient: `[R, C]`; overlaps none of the others.
///   - scratch: `localResponseNormScratchCount(window)` numbers.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func localResponseNormGradient<S: Scalar>(
  _ window: ResponseWindow, rows: Int, input: Block<S>, base: Block<S>, outputGradient: Block<S>,
  into inputGradient: Block<S>, scratch: Block<S>
) {
  @inline(never) func run() {
    let channels = window.channels
    precondition(rows * channels <= inputGradient.count, "\(rows) rows")
    let sums = WindowSums(window, scratch, zerosBefore: window.after)
    let power = S(-window.beta)
    let factor = S(-2 * window.alpha * window.beta / Double(window.size))
    for row in 0..<rows {
      let start = row &* channels
      let (x, s) = (input.base + start, base.base + start)
      let (dy, dx) = (outputGradient.base + start, inputGradient.base + start)
      @inline(__always) func direct(_ channel: Int) -> S.Vector {
        dy.vector(at: channel) * S.exponential(S.logarithm(s.vector(at: channel)) * power)
      }
      fillByVectors(dx, count: channels, direct)
      @inline(__always) func share(_ channel: Int) -> S.Vector {
        dx.vector(at: channel) * x.vector(at: channel) / s.vector(at: channel)
      }
      fillByVectors(sums.line, count: channels, share)
      @inline(__always) func value(_ channel: Int) -> S.Vector {
        S.multiplyAdd(
          x.vector(at: channel) * factor, sums.sum(channel), dx.vector(at: channel))
      }
      fillByVectors(dx, count: channels, value)
    }
  }
  run()
}

/// Elements of scratch for `localResponseNorm` and its gradient.
package func localResponseNormScratchCount<S: Scalar>(
  _ window: ResponseWindow, of scalar: S.Type
) -> Int {
  window.channels + window.size + S.lanes
}

/// One row of channels between zeros, and the sums over its windows.
private struct WindowSums<S: Scalar> {
  /// Where the row's first channel goes.
  let line: UnsafeMutablePointer<S>
  private let start: UnsafeMutablePointer<S>
  private let size: Int

  @inline(__always)
  init(_ window: ResponseWindow, _ scratch: Block<S>, zerosBefore: Int) {
    scratch.prefix(localResponseNormScratchCount(window, of: S.self)).fill(0)
    start = scratch.base
    line = start + zerosBefore
    size = window.size
  }

  @inline(__always)
  func sum(_ channel: Int) -> S.Vector {
    var sum = S.Vector(repeating: 0)
    for tap in 0..<size { sum += start.vector(at: channel &+ tap) }
    return sum
  }
}
