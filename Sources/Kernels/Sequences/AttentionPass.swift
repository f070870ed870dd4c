import Graph
import Storage

// Shapes: T' keys, a block of Q queries, heads of D channels.

/// Rows of a matrix whose heads stand side by side.
struct AttentionRows<S: Scalar> {
  private let block: Block<S>
  private let start: Int
  private let width: Int

  init(_ block: Block<S>, row: Int, width: Int, offset: Int = 0) {
    self.block = block
    self.width = width
    start = row * width + offset
  }

  func at(_ row: Int, _ column: Int) -> HeadRows<S> {
    let first = start + row * width + column
    return HeadRows(block: block[first..<block.count], stride: width)
  }
}

/// The rows of one head from some row on.
struct HeadRows<S: Scalar> {
  let block: Block<S>
  let stride: Int
}

/// Queries that are computed together, and how many keys the last of them sees.
struct AttentionBlock {
  let queries: Range<Int>
  let keys: Int
}

/// The memory of a pass and its steps.
struct AttentionPass<S: Scalar> {
  private let shape: AttentionShape
  /// Scores, then probabilities of a block, `[T', Q]`.
  let first: Block<S>
  /// Their gradients.
  let second: Block<S>
  /// Of the block in hand, `[D, Q]`.
  let turnedQueries: Block<S>
  let turnedGradients: Block<S>
  /// The queries' place: they have been read before.
  var turnedOutputs: Block<S> { turnedQueries }
  private let rest: Block<S>
  private let scale: S

  /// Queries of a block: few enough for the scores of all keys to stay in a cache.
  static func rows(_ shape: AttentionShape) -> Int { min(shape.queries, 32) }

  /// From one key's scores to the next: whole vectors.
  private static func width(_ shape: AttentionShape) -> Int {
    (rows(shape) + S.lanes - 1) / S.lanes * S.lanes
  }

  private static func scoreCount(_ shape: AttentionShape) -> Int { shape.keys * width(shape) }
  private static func turnedCount(_ shape: AttentionShape) -> Int { shape.headSize * width(shape) }

  /// Elements of scratch beside that of the products.
  static func memoryCount(_ shape: AttentionShape) -> Int {
    2 * scoreCount(shape) + 2 * turnedCount(shape)
  }

  init(_ shape: AttentionShape, scratch: Block<S>) {
    precondition(
      scratch.count >= attentionScratchCount(shape, of: S.self),
      "scratch of \(scratch.count) elements for \(shape)")
    self.shape = shape
    let (scores, turned) = (Self.scoreCount(shape), Self.turnedCount(shape))
    first = scratch[0..<scores]
    second = scratch[scores..<2 * scores]
    turnedQueries = scratch[2 * scores..<2 * scores + turned]
    turnedGradients = scratch[2 * scores + turned..<2 * scores + 2 * turned]
    rest = scratch[Self.memoryCount(shape)..<scratch.count]
    scale = 1 / S(shape.headSize).squareRoot()
  }

  var blockRows: Int { Self.rows(shape) }
  private var width: Int { Self.width(shape) }

  /// Queries and keys that count; no queries where there are no keys.
  func counted(
    _ lengths: AttentionLengths<S>, sequence: Int
  ) -> (queries: Int, keys: Int) {
    let keys = lengths.keys.map { Int($0.base[sequence]) } ?? shape.keys
    let queries = lengths.queries.map { Int($0.base[sequence]) } ?? shape.queries
    return (keys > 0 ? queries : 0, keys)
  }

  func block(from start: Int, of counted: (queries: Int, keys: Int)) -> AttentionBlock {
    let end = min(start + blockRows, counted.queries)
    return AttentionBlock(
      queries: start..<end, keys: shape.isCausal ? min(end, counted.keys) : counted.keys)
  }

  /// Queries, keys and values of a sequence.
  func operands(
    _ queries: Block<S>, _ others: Block<S>, sequence: Int
  ) -> (AttentionRows<S>, AttentionRows<S>, AttentionRows<S>) {
    let channels = shape.channels
    let row = sequence * shape.keys
    if shape.isSelf {
      return (
        AttentionRows(queries, row: row, width: 3 * channels),
        AttentionRows(queries, row: row, width: 3 * channels, offset: channels),
        AttentionRows(queries, row: row, width: 3 * channels, offset: 2 * channels)
      )
    }
    return (
      AttentionRows(queries, row: sequence * shape.queries, width: channels),
      AttentionRows(others, row: row, width: 2 * channels),
      AttentionRows(others, row: row, width: 2 * channels, offset: channels)
    )
  }

  /// `target[d, query] = rows[query, d]`
  func turn(_ rows: HeadRows<S>, _ count: Int, into target: Block<S>) {
    turnOver(
      rows.block.base, rowStride: rows.stride, rows: count, columns: shape.headSize,
      into: target.base, targetStride: width)
  }

  /// `target[key, query] = sum over d of a[key, d] * b[d, query]`
  func products(
    _ a: HeadRows<S>, _ b: Block<S>, of block: AttentionBlock, into target: Block<S>
  ) {
    matrixProduct(
      MatrixShape(rows: block.keys, columns: block.queries.count, depth: shape.headSize),
      a: a.block, aRowStride: a.stride, aDepthStride: 1, b: b, bDepthStride: width,
      bColumnStride: 1, into: target, cRowStride: width, scratch: rest)
  }

  /// `target[query, d] = sum over keys of a[key, query] * b[key, d]`
  func sumOverKeys(
    _ a: Block<S>, _ b: HeadRows<S>, of block: AttentionBlock, into target: HeadRows<S>
  ) {
    matrixProduct(
      MatrixShape(rows: block.queries.count, columns: shape.headSize, depth: block.keys), a: a,
      aRowStride: 1, aDepthStride: width, b: b.block, bDepthStride: b.stride, bColumnStride: 1,
      into: target.block, cRowStride: target.stride, scratch: rest)
  }

  /// `target[key, d] += sum over queries of a[key, query] * b[query, d]`
  func sumOverQueries(
    _ a: Block<S>, _ b: HeadRows<S>, of block: AttentionBlock, into target: HeadRows<S>
  ) {
    matrixProduct(
      MatrixShape(rows: block.keys, columns: shape.headSize, depth: block.queries.count), a: a,
      aRowStride: width, aDepthStride: 1, b: b.block, bDepthStride: b.stride, bColumnStride: 1,
      into: target.block, cRowStride: target.stride, accumulate: true, scratch: rest)
  }

  /// Turns scores into probabilities, query by query; what is hidden gets 0.
  ///
  /// - Parameters:
  ///   - logarithms: Of the sums of the exponentials of the scaled scores, `[Q]`.
  func normalize(_ block: AttentionBlock, logarithms: UnsafeMutablePointer<S>) {
    for lane in stride(from: 0, to: block.queries.count, by: S.lanes) {
      let column = column(lane, of: block, in: first)
      let largest = column.largest * scale
      var sum = S.Vector(repeating: 0)
      @inline(__always) func power(_ score: S.Vector) -> S.Vector {
        S.exponential(score * scale - largest)
      }
      @inline(__always) func add(_ power: S.Vector) { sum += power }
      column.replace(power, seeing: add)
      let share = 1 / sum
      for key in 0..<column.some { column[key] *= share }
      logarithms.setVector(
        largest + S.logarithm(sum), at: lane, channel: lane, of: block.queries.count)
    }
  }

  /// The same from logarithms that are known.
  func probabilities(_ block: AttentionBlock, logarithms: UnsafeMutablePointer<S>) {
    for lane in stride(from: 0, to: block.queries.count, by: S.lanes) {
      let logarithm = logarithms.vector(at: lane)
      @inline(__always) func power(_ score: S.Vector) -> S.Vector {
        S.exponential(score * scale - logarithm)
      }
      column(lane, of: block, in: first).replace(power, seeing: { _ in })
    }
  }

  /// `second = first * (second - sum over d of output * gradient) / sqrt(D)`
  func scoreGradients(_ block: AttentionBlock) {
    for lane in stride(from: 0, to: block.queries.count, by: S.lanes) {
      var mean = S.Vector(repeating: 0)
      for channel in 0..<shape.headSize {
        let place = channel &* width &+ lane
        mean = S.multiplyAdd(
          turnedOutputs.base.vector(at: place), turnedGradients.base.vector(at: place), mean)
      }
      let probabilities = column(lane, of: block, in: first)
      let gradients = column(lane, of: block, in: second)
      for key in 0..<block.keys {
        gradients[key] = probabilities[key] * (gradients[key] - mean) * scale
      }
    }
  }

  private func column(
    _ lane: Int, of block: AttentionBlock, in scores: Block<S>
  ) -> ScoreColumn<S> {
    let query = block.queries.lowerBound + lane
    return ScoreColumn(
      start: scores.base + lane, width: width, query: query, keys: block.keys,
      all: shape.isCausal ? min(query + 1, block.keys) : block.keys,
      some: shape.isCausal ? min(query + S.lanes, block.keys) : block.keys)
  }
}

/// The scores of as many queries as a vector has lanes, key by key.
private struct ScoreColumn<S: Scalar> {
  let start: UnsafeMutablePointer<S>
  /// From one key's scores to the next.
  let width: Int
  /// The first query.
  let query: Int
  let keys: Int
  /// Keys that all of the queries see; the first lanes see none of those behind.
  let all: Int
  /// Keys that at least the last one sees.
  let some: Int

  subscript(_ key: Int) -> S.Vector {
    @inline(__always) get { start.vector(at: key &* width) }
    @inline(__always) nonmutating set { start.setVector(newValue, at: key &* width) }
  }

  /// Of what each query sees; two partial results take turns.
  var largest: S.Vector {
    @inline(__always) get {
      let least = S.Vector(repeating: -.infinity)
      var (even, odd) = (least, least)
      for key in 0..<all { (even, odd) = (odd, S.larger(self[key], even)) }
      for key in all..<some {
        even = S.larger(S.firstLanes(key &- query, of: least, else: self[key]), even)
      }
      return S.larger(even, odd)
    }
  }

  /// Puts `value(score)` in the place of each score, 0 where the query does not see the key.
  ///
  /// - Parameters:
  ///   - note: Told every vector, key by key.
  @inline(__always)
  func replace(_ value: (S.Vector) -> S.Vector, seeing note: (S.Vector) -> Void) {
    let zero = S.Vector(repeating: 0)
    for key in 0..<all {
      let new = value(self[key])
      self[key] = new
      note(new)
    }
    for key in all..<some {
      let new = S.firstLanes(key &- query, of: zero, else: value(self[key]))
      self[key] = new
      note(new)
    }
    for key in some..<keys { self[key] = zero }
  }
}
