import Storage

// Shapes: R rows (samples), C channels (classes). A row's bits do not depend on the other rows.
// With p = softmax(logits) and smoothing s, the target is t' = (1 - s) * t + s / C.

/// Cross-entropy of class numbers and its gradient: `losses[r] = -w[k] * sum over c of t'[c] * ln p[r, c]`
/// with k the row's class and t its one-hot row.
///
/// The mean over a batch divides by the number of samples. PyTorch's default with class weights divides
/// by the sum of the weights instead.
///
/// - Parameters:
///   - logits: `[R, C]`.
///   - classes: `[R]`, each in `0..<C`.
///   - labelSmoothing: s, the part of the target that is spread evenly over all classes.
///   - classWeights: w, `[C]`; a sample's loss is multiplied by its class's; nil: 1.
///   - scale: Factor of the gradient, 1 / batch for the gradient of the batch's mean.
///   - losses: `[R]`, written, not scaled.
///   - gradient: `[R, C]`, `scale * w * (p - t')`; may be the same block as `logits`; nil: not wanted.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func softmaxCrossEntropy<S: Scalar>(
  logits: Block<S>, classes: Block<Int32>, rows: Int, channels: Int, labelSmoothing: S,
  classWeights: Block<S>?, scale: S, losses: Block<S>, gradient: Block<S>?
) {
  @inline(never) func run() {
    precondition(rows * channels <= logits.count, "\(rows) rows in \(logits.count)")
    let even = labelSmoothing / S(channels)
    for row in 0..<rows {
      let z = logits.base + row &* channels
      let dz = gradient.map { $0.base + row &* channels }
      let label = Int(classes.base[row])
      precondition((0..<channels).contains(label), "class \(label) of \(channels)")
      let weight = classWeights?.base[label] ?? 1
      let largest = largestInRow(z, channels)
      let right = z[label] - largest
      let evenLoss = even > 0 ? even * shiftedSum(z, channels, from: largest) : 0
      let sum = exponentials(z, channels, from: largest, into: dz)
      let logarithm = S.logarithm(S.Vector(repeating: sum))[0]
      losses.base[row] = weight * (logarithm - (1 - labelSmoothing) * right - evenLoss)
      guard let dz else { continue }
      let factor = weight * scale
      @inline(__always) func slope(_ channel: Int) -> S.Vector {
        (dz.vector(at: channel) * (1 / sum) - even) * factor
      }
      fillByVectors(dz, count: channels, slope)
      dz[label] -= (1 - labelSmoothing) * factor
    }
  }
  run()
}

/// Cross-entropy of target distributions and its gradient:
/// `losses[r] = -v[r] * sum over c of t'[r, c] * ln p[r, c]` with `v[r] = sum over c of w[c] * targets[r, c]`.
///
/// A one-hot row gives what its class number gives.
///
/// - Parameters:
///   - logits: `[R, C]`.
///   - targets: `[R, C]`; rows that do not sum to 1 are taken as they are.
///   - labelSmoothing: s, the part of the target that is spread evenly over all classes.
///   - classWeights: w, `[C]`; nil: v = 1.
///   - scale: Factor of the gradient, 1 / batch for the gradient of the batch's mean.
///   - losses: `[R]`, written, not scaled.
///   - gradient: `[R, C]`, `scale * v * (p * sum of t' - t')`; may be the same block as `logits`; nil:
///     not wanted.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func softmaxCrossEntropy<S: Scalar>(
  logits: Block<S>, targets: Block<S>, rows: Int, channels: Int, labelSmoothing: S,
  classWeights: Block<S>?, scale: S, losses: Block<S>, gradient: Block<S>?
) {
  @inline(never) func run() {
    precondition(rows * channels <= logits.count, "\(rows) rows in \(logits.count)")
    precondition(rows * channels <= targets.count, "\(rows) rows in \(targets.count)")
    let even = labelSmoothing / S(channels)
    let kept = 1 - labelSmoothing
    for row in 0..<rows {
      let z = logits.base + row &* channels
      let t = targets.base + row &* channels
      let dz = gradient.map { $0.base + row &* channels }
      var weight: S = 1
      if let w = classWeights?.base {
        @inline(__always) func weighted(_ channel: Int) -> S.Vector {
          w.vector(at: channel) * t.vector(at: channel)
        }
        weight = sumAlongRow(channels, weighted)
      }
      let largest = largestInRow(z, channels)
      @inline(__always) func target(_ channel: Int) -> S.Vector {
        t.vector(at: channel) * kept + even
      }
      let mass: S = sumAlongRow(channels, target)
      @inline(__always) func product(_ channel: Int) -> S.Vector {
        target(channel) * (z.vector(at: channel) - largest)
      }
      let expected: S = sumAlongRow(channels, product)
      let sum = exponentials(z, channels, from: largest, into: dz)
      let logarithm = S.logarithm(S.Vector(repeating: sum))[0]
      losses.base[row] = weight * (mass * logarithm - expected)
      guard let dz else { continue }
      let factor = weight * scale
      @inline(__always) func slope(_ channel: Int) -> S.Vector {
        (dz.vector(at: channel) * (mass / sum) - target(channel)) * factor
      }
      fillByVectors(dz, count: channels, slope)
    }
  }
  run()
}

/// `sum over c of e^(z[c] - largest)`, the terms also into `output` if there is one.
@inline(__always)
private func exponentials<S: Scalar>(
  _ z: UnsafeMutablePointer<S>, _ channels: Int, from largest: S,
  into output: UnsafeMutablePointer<S>?
) -> S {
  @inline(__always) func power(_ channel: Int) -> S.Vector {
    let power = S.exponential(z.vector(at: channel) - largest)
    output?.setVector(power, at: channel, channel: channel, of: channels)
    return power
  }
  return sumAlongRow(channels, power)
}

@inline(__always)
private func shiftedSum<S: Scalar>(
  _ z: UnsafeMutablePointer<S>, _ channels: Int, from largest: S
) -> S {
  @inline(__always) func shifted(_ channel: Int) -> S.Vector { z.vector(at: channel) - largest }
  return sumAlongRow(channels, shifted)
}
