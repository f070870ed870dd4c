import Storage

// Losses on distances between outputs. Shapes: R samples, D numbers of an output.
// `scale` is the factor of the gradient, 1 / batch for the gradient of the batch's mean; losses are not scaled.

/// `losses[r] = max(0, |a - p|^2 - |a - n|^2 + margin)`.
///
/// Source: Schroff, Kalenichenko, Philbin, "FaceNet", CVPR 2015, equation 1.
///
/// - Parameters:
///   - outputs: `[R, 3, D]`: a, p, n.
///   - losses: `[R]`.
///   - gradient: `[R, 3, D]`: `2 (n - p)`, `2 (p - a)`, `2 (a - n)` where the loss is above zero.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func tripletLoss<S: Scalar>(
  outputs: Block<S>, rows: Int, channels: Int, margin: S, scale: S, losses: Block<S>,
  gradient: Block<S>?
) {
  precondition(3 * rows * channels <= outputs.count && rows <= losses.count, "\(rows) triplets")
  for row in 0..<rows {
    let a = outputs.base + 3 * row * channels
    let (p, n) = (a + channels, a + 2 * channels)
    let loss = squaredDistance(a, p, channels) - squaredDistance(a, n, channels) + margin
    losses.base[row] = loss > 0 ? loss : 0
    guard let gradient else { continue }
    let da = gradient.base + 3 * row * channels
    let factor = loss > 0 ? 2 * scale : 0
    for index in 0..<channels {
      da[index] = factor * (n[index] - p[index])
      da[channels + index] = factor * (p[index] - a[index])
      da[2 * channels + index] = factor * (a[index] - n[index])
    }
  }
}

/// `losses[r] = max(0, |z_r - p|^2 - |z_r - n|^2 + margin)`, p the farthest output of r's class, n the nearest of
/// another; 0 where there is no p or no n. The first of equal distances counts.
///
/// Source: Hermans, Beyer, Leibe, "In defense of the triplet loss", 2017, equation 5 (batch hard).
///
/// - Parameters:
///   - outputs: `[R, D]`.
///   - classes: `[R]`.
///   - losses: `[R]`.
///   - gradient: `[R, D]`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func hardTripletLoss<S: Scalar>(
  outputs: Block<S>, classes: Block<Int32>, rows: Int, channels: Int, margin: S, scale: S,
  losses: Block<S>, gradient: Block<S>?
) {
  precondition(rows * channels <= outputs.count && rows <= losses.count, "\(rows) samples")
  gradient?.fill(0)
  for anchor in 0..<rows {
    let a = outputs.base + anchor * channels
    var (farthest, nearest) = (-1, -1)
    var (positive, negative) = (S(0), S(0))
    for other in 0..<rows where other != anchor {
      let distance = squaredDistance(a, outputs.base + other * channels, channels)
      if classes[other] == classes[anchor] {
        if farthest < 0 || distance > positive { (farthest, positive) = (other, distance) }
      } else if nearest < 0 || distance < negative {
        (nearest, negative) = (other, distance)
      }
    }
    let loss = positive - negative + margin
    let isActive = farthest >= 0 && nearest >= 0 && loss > 0
    losses.base[anchor] = isActive ? loss : 0
    guard isActive, let gradient else { continue }
    let (p, n) = (outputs.base + farthest * channels, outputs.base + nearest * channels)
    let da = gradient.base + anchor * channels
    let (dp, dn) = (gradient.base + farthest * channels, gradient.base + nearest * channels)
    for index in 0..<channels {
      da[index] += 2 * scale * (n[index] - p[index])
      dp[index] += 2 * scale * (p[index] - a[index])
      dn[index] += 2 * scale * (a[index] - n[index])
    }
  }
}

/// `losses[r] = (y d^2 + (1 - y) max(0, margin - d)^2) / 2` with `d = |a - b|`.
///
/// Source: Hadsell, Chopra, LeCun, "Dimensionality reduction by learning an invariant mapping", CVPR 2006, equation 4.
///
/// - Parameters:
///   - outputs: `[R, 2, D]`: a, b.
///   - classes: y, `[R]`: 1 for pairs that are alike.
///   - losses: `[R]`.
///   - gradient: `[R, 2, D]`; zero where a pair that is not alike coincides.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func contrastiveLoss<S: Scalar>(
  outputs: Block<S>, classes: Block<Int32>, rows: Int, channels: Int, margin: S, scale: S,
  losses: Block<S>, gradient: Block<S>?
) {
  precondition(2 * rows * channels <= outputs.count && rows <= losses.count, "\(rows) pairs")
  for row in 0..<rows {
    let a = outputs.base + 2 * row * channels
    let b = a + channels
    let square = squaredDistance(a, b, channels)
    let distance = square.squareRoot()
    let lack = margin - distance
    let isAlike = classes[row] == 1
    losses.base[row] = isAlike ? square / 2 : (lack > 0 ? lack * lack / 2 : 0)
    guard let gradient else { continue }
    let isPushed = !isAlike && lack > 0 && distance > 0
    let factor: S = isAlike ? scale : (isPushed ? -scale * lack / distance : 0)
    let da = gradient.base + 2 * row * channels
    for index in 0..<channels {
      let slope = factor * (a[index] - b[index])
      da[index] = slope
      da[channels + index] = -slope
    }
  }
}

/// Elements of scratch memory that `infoNCELoss` needs for R samples.
package func infoNCEScratchCount(rows: Int) -> Int { rows * (rows + 2) }

/// `losses[i] = -log softmax_j(s_ij / temperature)_i` with the cosines `s_ij = a_i . b_j / (|a_i| |b_j|)`.
///
/// Source: van den Oord, Li, Vinyals, "Representation learning with contrastive predictive coding", 2018, equation 4.
///
/// - Parameters:
///   - outputs: `[R, 2, D]`: a, b. An output of length 0 has the cosine 0 with all.
///   - losses: `[R]`.
///   - gradient: `[R, 2, D]`.
///   - scratch: `infoNCEScratchCount` elements.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func infoNCELoss<S: Scalar>(
  outputs: Block<S>, rows: Int, channels: Int, temperature: S, scale: S, losses: Block<S>,
  gradient: Block<S>?, scratch: Block<S>
) {
  precondition(2 * rows * channels <= outputs.count && rows <= losses.count, "\(rows) pairs")
  precondition(infoNCEScratchCount(rows: rows) <= scratch.count, "\(scratch.count) of scratch")
  let z = outputs.base
  let (scores, inverses) = (scratch.base, scratch.base + rows * rows)
  for entry in 0..<2 * rows {
    let length = product(z + entry * channels, z + entry * channels, channels).squareRoot()
    inverses[entry] = length > 0 ? 1 / length : 0
  }
  for i in 0..<rows {
    let row = scores + i * rows
    var largest = -S.infinity
    for j in 0..<rows {
      let dot = product(z + 2 * i * channels, z + (2 * j + 1) * channels, channels)
      row[j] = dot * inverses[2 * i] * inverses[2 * j + 1] / temperature
      largest = max(largest, row[j])
    }
    var sum = S(0)
    for j in 0..<rows { sum += exponential(row[j] - largest) }
    losses.base[i] = largest + logarithm(sum) - row[i]
    // From here on the row is the loss's slope by s_ij.
    for j in 0..<rows {
      row[j] = (exponential(row[j] - largest) / sum - (i == j ? 1 : 0)) * scale / temperature
    }
  }
  guard let gradient else { return }
  gradient.fill(0)
  for i in 0..<rows {
    for j in 0..<rows {
      addCosineGradient(
        z + 2 * i * channels, z + (2 * j + 1) * channels, channels,
        (inverses[2 * i], inverses[2 * j + 1]), slope: scores[i * rows + j],
        gradient.base + 2 * i * channels, gradient.base + (2 * j + 1) * channels)
    }
  }
}

/// `losses[r] = 1 - z . t / (|z| |t|)`; 1 with a gradient of zero where one of them is zero.
///
/// - Parameters:
///   - outputs: z, `[R, D]`.
///   - targets: t, `[R, D]`.
///   - losses: `[R]`.
///   - gradient: `[R, D]`, by z.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func cosineLoss<S: Scalar>(
  outputs: Block<S>, targets: Block<S>, rows: Int, channels: Int, scale: S, losses: Block<S>,
  gradient: Block<S>?
) {
  precondition(rows * channels <= min(outputs.count, targets.count), "\(rows) rows")
  for row in 0..<rows {
    let (z, t) = (outputs.base + row * channels, targets.base + row * channels)
    let lengths = product(z, z, channels).squareRoot() * product(t, t, channels).squareRoot()
    let cosine = lengths > 0 ? product(z, t, channels) / lengths : 0
    losses.base[row] = 1 - cosine
    guard let dz = gradient.map({ $0.base + row * channels }) else { continue }
    let square = product(z, z, channels)
    for index in 0..<channels {
      dz[index] =
        lengths > 0 ? scale * (cosine * z[index] / square - t[index] / lengths) : 0
    }
  }
}

/// Adds `slope` times the gradient of `a . b / (|a| |b|)` to those of a and b.
@inline(__always)
private func addCosineGradient<S: Scalar>(
  _ a: UnsafeMutablePointer<S>, _ b: UnsafeMutablePointer<S>, _ count: Int, _ inverses: (S, S),
  slope: S, _ da: UnsafeMutablePointer<S>, _ db: UnsafeMutablePointer<S>
) {
  let both = inverses.0 * inverses.1
  let cosine = product(a, b, count) * both
  let (ofA, ofB) = (cosine * inverses.0 * inverses.0, cosine * inverses.1 * inverses.1)
  for index in 0..<count {
    da[index] += slope * (b[index] * both - a[index] * ofA)
    db[index] += slope * (a[index] * both - b[index] * ofB)
  }
}

@inline(__always)
private func squaredDistance<S: Scalar>(
  _ a: UnsafeMutablePointer<S>, _ b: UnsafeMutablePointer<S>, _ count: Int
) -> S {
  var sum = S(0)
  for index in 0..<count {
    let difference = a[index] - b[index]
    sum += difference * difference
  }
  return sum
}

@inline(__always)
private func product<S: Scalar>(
  _ a: UnsafeMutablePointer<S>, _ b: UnsafeMutablePointer<S>, _ count: Int
) -> S {
  var sum = S(0)
  for index in 0..<count { sum += a[index] * b[index] }
  return sum
}

@inline(__always)
private func exponential<S: Scalar>(_ x: S) -> S { S.exponential(S.Vector(repeating: x))[0] }

@inline(__always)
private func logarithm<S: Scalar>(_ x: S) -> S { S.logarithm(S.Vector(repeating: x))[0] }
