import Storage

// Shapes: R rows, C channels.

/// Mean and summed squared deviations of some channels over the rows seen so far.
///
/// Numbers are counted from a shift, the mean of the first 64 rows, so that a large mean with a small
/// deviation loses nothing; a stretch of 64 rows takes its own mean first and its squares about that, while it is in
/// the first-level cache.
///
/// Source: Chan, Golub, LeVeque, "Algorithms for computing the sample variance", The American
/// Statistician 37 (1983), equation 2.1 (merging two sets).
struct Moments<S: Scalar> {
  private let shift: S.Vector
  private var sum = CompensatedSum<OneTerm<S>>()
  private var squares = S.Vector(repeating: 0)
  private var count = 0

  @inline(__always)
  init(shift: S.Vector) {
    self.shift = shift
  }

  /// Adds `rows` more rows with this sum (from the shift) and squared deviations (from their mean).
  @inline(__always)
  mutating func merge(sum part: S.Vector, squares partSquares: S.Vector, rows: Int) {
    squares = squares + partSquares
    if count > 0 {
      let difference = part * (1 / S(rows)) - sum.value.value * (1 / S(count))
      squares = S.multiplyAdd(
        difference * difference,
        S.Vector(repeating: S(count) * (S(rows) / S(count &+ rows))), squares)
    }
    sum.add(OneTerm(part))
    count &+= rows
  }

  @inline(__always) var mean: S.Vector { shift + sum.value.value / S(max(count, 1)) }
  @inline(__always) var variance: S.Vector { squares / S(max(count, 1)) }
  @inline(__always) var unbiasedVariance: S.Vector { squares / S(max(count &- 1, 1)) }
  @inline(__always) var squaredDeviations: S.Vector { squares }
}

/// Takes the moments of all channels over the rows and hands them on: (first channel, moments).
@inline(__always)
func forEachColumnMoments<S: Scalar>(
  _ input: Block<S>, rows: Int, channels: Int, result: (Int, Moments<S>) -> Void
) {
  var channel = 0
  while channel < channels {
    let streams = ColumnStreams(channel: channel, channels: channels, lanes: S.lanes)
    let moments = columnMoments(streams, input.base, rows: rows)
    result(channel, moments.a)
    if streams.vectors > 1 { result(channel &+ S.lanes, moments.b) }
    if streams.vectors > 2 { result(channel &+ 2 &* S.lanes, moments.c) }
    if streams.vectors > 3 { result(channel &+ 3 &* S.lanes, moments.d) }
    channel = streams.nextChannel(lanes: S.lanes)
  }
}

@inline(__always)
private func columnMoments<S: Scalar>(
  _ streams: ColumnStreams, _ input: UnsafeMutablePointer<S>, rows: Int
) -> Four<Moments<S>> {
  let shift = firstMean(streams, input, rows: min(rows, rowsPerPartialSum))
  var moments = shift.map { Moments<S>(shift: $0) }
  var row = 0
  while row < rows {
    let end = min(row &+ rowsPerPartialSum, rows)
    @inline(__always) func shifted(_ stream: Int, _ row: Int, _ channel: Int) -> OneTerm<S> {
      OneTerm(input.vector(at: row &* streams.channels &+ channel) - shift[stream])
    }
    let sums = streams.sum(rows: row, to: end, shifted)
    let share = 1 / S(end &- row)
    let means = sums.map { $0.value * share }
    @inline(__always) func square(_ stream: Int, _ row: Int, _ channel: Int) -> OneTerm<S> {
      let x = shifted(stream, row, channel).value - means[stream]
      return OneTerm(x * x)
    }
    let squares = streams.sum(rows: row, to: end, square)
    moments.a.merge(sum: sums.a.value, squares: squares.a.value, rows: end &- row)
    moments.b.merge(sum: sums.b.value, squares: squares.b.value, rows: end &- row)
    moments.c.merge(sum: sums.c.value, squares: squares.c.value, rows: end &- row)
    moments.d.merge(sum: sums.d.value, squares: squares.d.value, rows: end &- row)
    row = end
  }
  return moments
}

/// The mean of some rows, itself counted from the first of them.
@inline(__always)
private func firstMean<S: Scalar>(
  _ streams: ColumnStreams, _ input: UnsafeMutablePointer<S>, rows: Int
) -> Four<S.Vector> {
  if rows == 0 { return Four { _ in S.Vector(repeating: 0) } }
  let first = streams.channelOffsets.map { input.vector(at: streams.channel &+ $0) }
  @inline(__always) func difference(_ stream: Int, _ row: Int, _ channel: Int) -> OneTerm<S> {
    OneTerm(input.vector(at: row &* streams.channels &+ channel) - first[stream])
  }
  let sums = streams.sum(rows: 0, to: rows, difference)
  return Four { first[$0] + sums[$0].value * (1 / S(rows)) }
}
