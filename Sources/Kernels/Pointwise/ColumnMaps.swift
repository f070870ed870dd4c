// Shapes: R rows, C channels. Element-wise work whose numbers differ by channel.

/// `output[r, c...] = value(element r * C + c, coefficients(c))` for all rows and channels.
///
/// The coefficients of up to four vectors of channels stay in registers while a stretch of rows,
/// short enough for the first-level cache, goes by.
@inline(__always)
func fillByColumns<S: Scalar, Coefficients>(
  _ output: UnsafeMutablePointer<S>, rows: Int, channels: Int,
  coefficients: (Int) -> Coefficients, value: (Int, Coefficients) -> S.Vector
) {
  let stretch = max(16, 4096 / max(channels, 1))
  let lanes = S.lanes
  var start = 0
  while start < rows {
    let end = min(start &+ stretch, rows)
    var channel = 0
    while channel &+ 4 &* lanes <= channels {
      let four = Four { coefficients(channel &+ $0 &* lanes) }
      for row in start..<end {
        let element = row &* channels &+ channel
        output.setVector(value(element, four.a), at: element)
        output.setVector(value(element &+ lanes, four.b), at: element &+ lanes)
        output.setVector(value(element &+ 2 &* lanes, four.c), at: element &+ 2 &* lanes)
        output.setVector(value(element &+ 3 &* lanes, four.d), at: element &+ 3 &* lanes)
      }
      channel &+= 4 &* lanes
    }
    while channel &+ lanes <= channels {
      let one = coefficients(channel)
      for row in start..<end {
        let element = row &* channels &+ channel
        output.setVector(value(element, one), at: element)
      }
      channel &+= lanes
    }
    if channel < channels {
      let one = coefficients(channel)
      for row in start..<end {
        let element = row &* channels &+ channel
        output.setVector(value(element, one), at: element, count: channels &- channel)
      }
    }
    start = end
  }
}
