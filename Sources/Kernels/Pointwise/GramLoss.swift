import Storage

// Shapes: R samples, P positions, C channels.

/// Elements of scratch memory that `gramLoss` needs.
package func gramScratchCount(channels: Int) -> Int { channels * channels }

/// `losses[r] = sum_ij (G_ij - A_ij)^2 / (4 C^2 P^2)` with `G = z^T z` and `A = t^T t`.
///
/// Source: Gatys, Ecker, Bethge, "Image style transfer using convolutional neural networks", CVPR 2016, equations 3 to 6.
///
/// - Parameters:
///   - outputs: z, `[R, P, C]`.
///   - targets: t, `[R, P, C]`.
///   - scale: Factor of the gradient.
///   - losses: `[R]`, not scaled.
///   - gradient: `[R, P, C]`: `z (G - A) / (C^2 P^2)`.
///   - scratch: `gramScratchCount` elements.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func gramLoss<S: Scalar>(
  outputs: Block<S>, targets: Block<S>, rows: Int, positions: Int, channels: Int, scale: S,
  losses: Block<S>, gradient: Block<S>?, scratch: Block<S>
) {
  let count = positions * channels
  precondition(rows * count <= min(outputs.count, targets.count), "\(rows) rows")
  precondition(gramScratchCount(channels: channels) <= scratch.count, "\(scratch.count) of scratch")
  let difference = scratch.base
  let norm = S(channels) * S(channels) * S(positions) * S(positions)
  for row in 0..<rows {
    for index in 0..<channels * channels { difference[index] = 0 }
    addProducts(outputs.base + row * count, positions, channels, 1, into: difference)
    addProducts(targets.base + row * count, positions, channels, -1, into: difference)
    var sum = S(0)
    for index in 0..<channels * channels { sum += difference[index] * difference[index] }
    losses.base[row] = sum / (4 * norm)
    guard let gradient else { continue }
    for position in 0..<positions {
      let z = outputs.base + row * count + position * channels
      let dz = gradient.base + row * count + position * channels
      for channel in 0..<channels { dz[channel] = 0 }
      for other in 0..<channels {
        let factor = z[other] * (scale / norm)
        for channel in 0..<channels {
          dz[channel] += factor * difference[other * channels + channel]
        }
      }
    }
  }
}

/// Adds `sign z^T z`.
@inline(__always)
private func addProducts<S: Scalar>(
  _ z: UnsafeMutablePointer<S>, _ positions: Int, _ channels: Int, _ sign: S,
  into target: UnsafeMutablePointer<S>
) {
  for position in 0..<positions {
    let row = z + position * channels
    for first in 0..<channels {
      let factor = sign * row[first]
      for second in 0..<channels { target[first * channels + second] += factor * row[second] }
    }
  }
}
