// Shapes: C channels of one row. Sums along a row, the channels as the vector.

/// `sum over c of term(c)`; lanes beyond the row count nothing, whatever the term gives there.
///
/// Two partial sums take turns. A large term should be a function marked `@inline(__always)`, as in
/// `fillByVectors`.
@inline(__always)
func sumAlongRow<S: Scalar>(_ channels: Int, _ term: (Int) -> S.Vector) -> S {
  let zero = S.Vector(repeating: 0)
  var (even, odd) = (zero, zero)
  var channel = 0
  while channel < channels {
    var value = term(channel)
    let left = channels &- channel
    if left < S.lanes { value = S.firstLanes(left, of: value, else: zero) }
    (even, odd) = (odd, even + value)
    channel &+= S.lanes
  }
  return S.sum(even + odd)
}

/// The largest number of a row; not-a-number is passed over.
@inline(__always)
func largestInRow<S: Scalar>(_ row: UnsafeMutablePointer<S>, _ channels: Int) -> S {
  let least = S.Vector(repeating: -.infinity)
  var best = least
  var channel = 0
  while channel < channels {
    var value = row.vector(at: channel)
    let left = channels &- channel
    if left < S.lanes { value = S.firstLanes(left, of: value, else: least) }
    best = S.larger(value, best)
    channel &+= S.lanes
  }
  return S.largest(best)
}
