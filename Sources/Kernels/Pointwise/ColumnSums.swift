import Storage

// Shapes: R rows, C channels.

/// `output[c] = sum over r of input[r, c]`: the gradient of a bias.
///
/// The rounding error is that of adding 64 numbers, however many rows there are.
///
/// - Parameters:
///   - input: `[rows, channels]`.
///   - output: `[channels]`; must not overlap `input`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func columnSums<S: Scalar>(
  of input: Block<S>, rows: Int, channels: Int, into output: Block<S>
) {
  @inline(never) func run() {
    if channels < S.lanes && rows >= 4 &* S.lanes {
      sumNarrowColumns(input, rows: rows, channels: channels, into: output)
    } else {
      sumColumns(input, rows: rows, channels: channels, into: output, adding: false)
    }
  }
  run()
}

@_specialize(where S == Float)
@_specialize(where S == Double)
@inline(never)
private func sumColumns<S: Scalar>(
  _ input: Block<S>, rows: Int, channels: Int, into output: Block<S>, adding: Bool
) {
  precondition(rows * channels <= input.count, "\(rows) rows in \(input.count)")
  precondition(output.count >= channels, "\(channels) sums into \(output.count)")
  @inline(__always) func term(_ stream: Int, _ row: Int, _ channel: Int) -> OneTerm<S> {
    OneTerm<S>(input.base.vector(at: row &* channels &+ channel))
  }
  @inline(__always) func store(_ channel: Int, _ sum: OneTerm<S>) {
    let before = adding ? output.base.vector(at: channel) : S.Vector(repeating: 0)
    output.base.setVector(before + sum.value, at: channel, channel: channel, of: channels)
  }
  forEachColumnSum(rows: rows, channels: channels, term, result: store)
}

/// The same where a row does not fill a vector: as many rows side by side as fill some, first.
private func sumNarrowColumns<S: Scalar>(
  _ input: Block<S>, rows: Int, channels: Int, into output: Block<S>
) {
  // Lanes are a power of two: channels share with them just their own factors of two.
  let rowsAtOnce = S.lanes >> channels.trailingZeroBitCount
  let columns = rowsAtOnce &* channels
  let whole = rows / rowsAtOnce
  withUnsafeTemporaryAllocation(of: S.self, capacity: columns &+ S.lanes) { memory in
    guard let base = memory.baseAddress else { return }
    base.fill(0, count: columns &+ S.lanes)
    let sums = Block(base: base, count: columns)
    sumColumns(input, rows: whole, channels: columns, into: sums, adding: false)
    sumColumns(sums, rows: rowsAtOnce, channels: channels, into: output, adding: false)
    let done = whole &* columns
    let rest = Block(base: input.base + done, count: input.count &- done)
    sumColumns(
      rest, rows: rows &- whole &* rowsAtOnce, channels: channels, into: output, adding: true)
  }
}

/// Adds up a term over all rows and hands the sum for each vector of channels to `result`.
///
/// - Parameters:
///   - term: Of (stream, row, first channel), see `ColumnStreams.sum`.
///   - result: Takes (first channel, sum).
@inline(__always)
func forEachColumnSum<T: ColumnTerm>(
  rows: Int, channels: Int, _ term: (Int, Int, Int) -> T, result: (Int, T) -> Void
) {
  let lanes = T.Number.lanes
  var channel = 0
  while channel < channels {
    let streams = ColumnStreams(channel: channel, channels: channels, lanes: lanes)
    let sums = compensatedSum(streams, rows: rows, term)
    result(channel, sums.a)
    if streams.vectors > 1 { result(channel &+ lanes, sums.b) }
    if streams.vectors > 2 { result(channel &+ 2 &* lanes, sums.c) }
    if streams.vectors > 3 { result(channel &+ 3 &* lanes, sums.d) }
    channel = streams.nextChannel(lanes: lanes)
  }
}

@inline(__always)
private func compensatedSum<T: ColumnTerm>(
  _ streams: ColumnStreams, rows: Int, _ term: (Int, Int, Int) -> T
) -> Four<T> {
  var totals = Four<CompensatedSum<T>> { _ in CompensatedSum() }
  var row = 0
  while row < rows {
    let end = min(row &+ rowsPerPartialSum, rows)
    let part = streams.sum(rows: row, to: end, term)
    totals.a.add(part.a)
    totals.b.add(part.b)
    totals.c.add(part.c)
    totals.d.add(part.d)
    row = end
  }
  return totals.map { $0.value }
}
