import Storage

// Shapes: R rows (samples), C channels (outputs). A row's bits do not depend on the other rows.
// Every loss is the mean over a row's channels of a function of (z, t), output and target.

/// `losses[r] = (1 / C) * sum over c of (z - t)^2`.
///
/// - Parameters:
///   - outputs: z, `[R, C]`.
///   - targets: t, `[R, C]`.
///   - scale: Factor of the gradient, 1 / batch for the gradient of the batch's mean.
///   - losses: `[R]`, written, not scaled.
///   - gradient: `[R, C]`, `scale / C * 2 * (z - t)`; may be the same block as `outputs`; nil: not wanted.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func meanSquared<S: Scalar>(
  outputs: Block<S>, targets: Block<S>, rows: Int, channels: Int, scale: S, losses: Block<S>,
  gradient: Block<S>?
) {
  @inline(never) func run() {
    @inline(__always)
    func term(_ z: S.Vector, _ t: S.Vector, _ channel: Int) -> LossTerm<S.Vector> {
      let d = z - t
      return LossTerm(value: d * d, slope: d + d)
    }
    elementLoss(outputs, targets, rows, channels, scale, losses, gradient, term)
  }
  run()
}

/// `losses[r] = (1 / C) * sum over c of |z - t|`; the slope at 0 is 0.
///
/// - Parameters:
///   - outputs: z, `[R, C]`.
///   - targets: t, `[R, C]`.
///   - scale: Factor of the gradient, 1 / batch for the gradient of the batch's mean.
///   - losses: `[R]`, written, not scaled.
///   - gradient: `[R, C]`, `scale / C * sign(z - t)`; may be the same block as `outputs`; nil: not
///     wanted.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func meanAbsolute<S: Scalar>(
  outputs: Block<S>, targets: Block<S>, rows: Int, channels: Int, scale: S, losses: Block<S>,
  gradient: Block<S>?
) {
  @inline(never) func run() {
    @inline(__always)
    func term(_ z: S.Vector, _ t: S.Vector, _ channel: Int) -> LossTerm<S.Vector> {
      let d = z - t
      return LossTerm(value: S.magnitude(d), slope: S.sign(d))
    }
    elementLoss(outputs, targets, rows, channels, scale, losses, gradient, term)
  }
  run()
}

/// `losses[r] = (1 / C) * sum over c of h(z - t)` with `h(d) = d^2 / 2` for |d| <= delta, else
/// `delta * (|d| - delta / 2)`.
///
/// Source: Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35
/// (1964), section 3.
///
/// - Parameters:
///   - outputs: z, `[R, C]`.
///   - targets: t, `[R, C]`.
///   - delta: Positive.
///   - scale: Factor of the gradient, 1 / batch for the gradient of the batch's mean.
///   - losses: `[R]`, written, not scaled.
///   - gradient: `[R, C]`, `scale / C * min(max(z - t, -delta), delta)`; may be the same block as
///     `outputs`; nil: not wanted.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func huber<S: Scalar>(
  outputs: Block<S>, targets: Block<S>, rows: Int, channels: Int, delta: S, scale: S,
  losses: Block<S>, gradient: Block<S>?
) {
  @inline(never) func run() {
    @inline(__always)
    func term(_ z: S.Vector, _ t: S.Vector, _ channel: Int) -> LossTerm<S.Vector> {
      let d = z - t
      let slope = S.limited(d, to: delta)
      // Within delta the slope is d itself, and both forms meet.
      return LossTerm(value: slope * (d - slope * 0.5), slope: slope)
    }
    elementLoss(outputs, targets, rows, channels, scale, losses, gradient, term)
  }
  run()
}

/// What one vector of elements adds to the losses, and the slopes by the outputs.
struct LossTerm<Vector: SIMD> {
  var value: Vector
  var slope: Vector
}

/// Means of `term` along the rows, and the slopes times `scale / C`.
///
/// - Parameters:
///   - term: Of (z, t, first channel).
@inline(__always)
func elementLoss<S: Scalar>(
  _ outputs: Block<S>, _ targets: Block<S>, _ rows: Int, _ channels: Int, _ scale: S,
  _ losses: Block<S>, _ gradient: Block<S>?,
  _ term: (S.Vector, S.Vector, Int) -> LossTerm<S.Vector>
) {
  precondition(rows * channels <= min(outputs.count, targets.count), "\(rows) rows")
  precondition(rows <= losses.count, "\(rows) losses into \(losses.count)")
  let factor = scale / S(channels)
  for row in 0..<rows {
    let z = outputs.base + row &* channels
    let t = targets.base + row &* channels
    let dz = gradient.map { $0.base + row &* channels }
    @inline(__always) func value(_ channel: Int) -> S.Vector {
      let term = term(z.vector(at: channel), t.vector(at: channel), channel)
      dz?.setVector(term.slope * factor, at: channel, channel: channel, of: channels)
      return term.value
    }
    let sum: S = sumAlongRow(channels, value)
    losses.base[row] = sum / S(channels)
  }
}

extension VectorMath {
  /// `min(max(x, -limit), limit)`
  @inline(__always)
  static func limited(_ x: Vector, to limit: Self) -> Vector {
    let high = Vector(repeating: limit)
    let below = ifLess(high, x, then: high, else: x)
    return ifLess(below, -high, then: -high, else: below)
  }

  /// -1, 0 or 1; not-a-number stays.
  @inline(__always)
  static func sign(_ x: Vector) -> Vector {
    let positive = ifLess(zeros, x, then: Vector(repeating: 1), else: x)
    return ifLess(x, zeros, then: Vector(repeating: -1), else: positive)
  }
}
