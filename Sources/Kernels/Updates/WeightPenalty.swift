import Storage

/// `l2 / 2 * ||w||^2 + l1 * ||w||_1`, summed in Double in eight lanes and then from the first lane to the last:
/// what the penalties add to the loss, for reports.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func weightPenalty<S: Scalar>(_ weights: Block<S>, l2: Double, l1: Double) -> Double {
  let (base, count) = (weights.base, weights.count)
  let (half, width) = (l2 / 2, SIMD8<Double>.scalarCount)
  var sums = SIMD8<Double>.zero
  for start in stride(from: 0, to: count, by: width) {
    for lane in 0..<min(width, count - start) {
      let w = Double(base[start + lane])
      sums[lane] += w * w * half + abs(w) * l1
    }
  }
  return (0..<width).reduce(0) { $0 + sums[$1] }
}
