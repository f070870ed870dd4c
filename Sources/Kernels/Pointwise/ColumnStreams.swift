// Shapes: R rows, C channels. Sums down the columns of `[R, C]`, several channels in a vector.

/// Four of something, side by side in registers.
struct Four<Element> {
  var a: Element
  var b: Element
  var c: Element
  var d: Element

  @inline(__always)
  init(_ a: Element, _ b: Element, _ c: Element, _ d: Element) {
    self.a = a
    self.b = b
    self.c = c
    self.d = d
  }

  @inline(__always)
  init(_ make: (Int) -> Element) {
    self.init(make(0), make(1), make(2), make(3))
  }

  @inline(__always)
  func map<Result>(_ transform: (Element) -> Result) -> Four<Result> {
    Four<Result>(transform(a), transform(b), transform(c), transform(d))
  }

  @inline(__always)
  subscript(_ index: Int) -> Element {
    switch index {
    case 0: a
    case 1: b
    case 2: c
    default: d
    }
  }
}

/// How four vectors at a time walk down the rows: four vectors of one row, two of each of two rows,
/// or one of each of four rows. Four independent sums hide the latency of an addition.
struct ColumnStreams {
  /// Vectors side by side in a row that are of interest: 1 to 4.
  let vectors: Int
  let rowsPerStep: Int
  /// First channel.
  let channel: Int
  let channels: Int
  /// By stream: the row within a step, and the channel relative to `channel`.
  let rowOffsets: Four<Int>
  let channelOffsets: Four<Int>

  @inline(__always)
  init(channel: Int, channels: Int, lanes: Int) {
    let left = (channels &- channel &+ lanes &- 1) / lanes
    vectors = min(left, 4)
    rowsPerStep = vectors > 2 ? 1 : 4 / vectors
    self.channel = channel
    self.channels = channels
    switch vectors {
    case 1:
      rowOffsets = Four(0, 1, 2, 3)
      channelOffsets = Four(0, 0, 0, 0)
    case 2:
      rowOffsets = Four(0, 0, 1, 1)
      channelOffsets = Four(0, lanes, 0, lanes)
    default:
      rowOffsets = Four(0, 0, 0, 0)
      // With three vectors the fourth stream repeats the third, and nobody looks.
      channelOffsets = Four(0, lanes, 2 &* lanes, vectors == 3 ? 2 &* lanes : 3 &* lanes)
    }
  }

  /// The first channel after these.
  @inline(__always)
  func nextChannel(lanes: Int) -> Int { channel &+ vectors &* lanes }

  /// What each of the vectors of a row gets out of the four streams' sums.
  @inline(__always)
  func joined<T: ColumnTerm>(_ sums: Four<T>) -> Four<T> {
    switch vectors {
    case 1:
      let sum = (sums.a + sums.b) + (sums.c + sums.d)
      return Four(sum, sum, sum, sum)
    case 2:
      let (first, second) = (sums.a + sums.c, sums.b + sums.d)
      return Four(first, second, first, second)
    default: return sums
    }
  }

  /// Adds up a term over the rows `from..<to`, for each of the vectors of a row.
  ///
  /// - Parameters:
  ///   - term: Of (stream, row, first channel).
  @inline(__always)
  func sum<T: ColumnTerm>(rows from: Int, to end: Int, _ term: (Int, Int, Int) -> T) -> Four<T> {
    var (a, b, c, d) = (T.zero, T.zero, T.zero, T.zero)
    let channels = channelOffsets.map { channel &+ $0 }
    var row = from
    while row &+ rowsPerStep <= end {
      a = a + term(0, row, channels.a)
      b = b + term(1, row &+ rowOffsets.b, channels.b)
      c = c + term(2, row &+ rowOffsets.c, channels.c)
      d = d + term(3, row &+ rowOffsets.d, channels.d)
      row &+= rowsPerStep
    }
    while row < end {
      a = a + term(0, row, channels.a)
      if vectors == 2 { b = b + term(1, row, channels.b) }
      row &+= 1
    }
    return joined(Four(a, b, c, d))
  }
}
