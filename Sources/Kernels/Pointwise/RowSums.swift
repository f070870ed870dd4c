// Shapes: C channels of one row. Sums along a row, the channels as the vector.

/// `sum over c of term(c)`; lanes beyond the row count nothing, whatever the term gives there.
@inline(__always)
func sumAlongRow<S: Scalar>(_ channels: Int, _ term: (Int) -> S.Vector) -> S {
  let zero = S.Vector(repeating: 0)
  var (a, b, c, d) = (zero, zero, zero, zero)
  var channel = 0
  while channel &+ 4 &* S.lanes <= channels {
    a += term(channel)
    b += term(channel &+ S.lanes)
    c += term(channel &+ 2 &* S.lanes)
    d += term(channel &+ 3 &* S.lanes)
    channel &+= 4 &* S.lanes
  }
  while channel &+ S.lanes <= channels {
    a += term(channel)
    channel &+= S.lanes
  }
  if channel < channels {
    b += zero.replacing(with: term(channel), where: S.firstLanes(channels &- channel))
  }
  return S.sum((a + b) + (c + d))
}

/// The largest number of a row; not-a-number is passed over.
@inline(__always)
func largestInRow<S: Scalar>(_ row: UnsafeMutablePointer<S>, _ channels: Int) -> S {
  let least = S.Vector(repeating: -.infinity)
  var best = least
  var channel = 0
  while channel &+ S.lanes <= channels {
    best = S.larger(row.vector(at: channel), best)
    channel &+= S.lanes
  }
  if channel < channels {
    let rest = least.replacing(
      with: row.vector(at: channel), where: S.firstLanes(channels &- channel))
    best = S.larger(rest, best)
  }
  return S.largest(best)
}
