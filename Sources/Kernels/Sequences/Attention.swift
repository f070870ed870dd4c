import Graph
import Storage

// Shapes: N sequences, T queries, T' keys, A heads of D channels, E = A D.

/// Scaled dot-product attention of several heads: `output = softmax(Q K^T / sqrt(D)) V` for each head.
///
/// A block of queries meets all keys at a time, so that scratch grows with T, not with its square.
///
/// Source: Vaswani et al., "Attention is all you need", 2017, equation 1; Dao et al., "FlashAttention", 2022, for leaving
/// the probabilities to be computed again in the gradient.
///
/// - Parameters:
///   - queries: `[N, T, 3 E]`, queries, keys and values side by side, or `[N, T, E]` where others have keys.
///   - others: Keys and values, `[N, T', 2 E]`; nil: both are in `queries`.
///   - lengths: Queries and keys of each sequence that count; keys that do not are seen by none, and the outputs of queries
///     that do not, or that see no key, are 0.
///   - output: `[N, T, E]`.
///   - logarithms: For the gradient: of the sums of exponentials, `[N, A, T]`; 0 for queries that find nothing.
///   - scratch: At least `attentionScratchCount` elements.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func attention<S: Scalar>(
  _ shape: AttentionShape, sequences: Int, queries: Block<S>, others: Block<S>?,
  lengths: AttentionLengths<S> = AttentionLengths(), into output: Block<S>, logarithms: Block<S>,
  scratch: Block<S>
) {
  @inline(never) func run() {
    precondition(shape.isSelf == (others == nil), "\(shape)")
    let pass = AttentionPass<S>(shape, scratch: scratch)
    for sequence in 0..<sequences {
      let (q, k, v) = pass.operands(queries, others ?? queries, sequence: sequence)
      let y = Rows(output, row: sequence * shape.queries, width: shape.channels)
      let counted = pass.counted(lengths, sequence: sequence)
      for query in counted.queries..<shape.queries {
        clear(output, at: sequence * shape.queries + query, width: shape.channels)
      }
      for head in 0..<shape.heads {
        let column = head * shape.headSize
        let logs = logarithms.base + (sequence * shape.heads + head) * shape.queries
        for query in counted.queries..<shape.queries { logs[query] = 0 }
        pass.turn(k.at(0, column), into: pass.turnedKeys)
        for start in stride(from: 0, to: counted.queries, by: pass.blockRows) {
          let block = pass.block(from: start, of: counted)
          let keys = pass.keys(seenBy: block, of: counted)
          pass.products(
            q.at(block.lowerBound, column), pass.turnedKeys, block.count, keys, into: pass.first)
          for row in 0..<block.count {
            logs[block.lowerBound + row] = pass.normalize(
              row, keys: pass.keys(seenBy: block.lowerBound + row, of: counted), of: keys)
          }
          pass.product(
            pass.first, keys, v.at(0, column), into: y.at(block.lowerBound, column),
            rows: block.count, depth: keys)
        }
      }
    }
  }
  run()
}

/// The gradient of `attention`.
///
/// - Parameters:
///   - lengths: As `attention` had them; the gradients of what does not count are 0.
///   - output: What `attention` wrote, as are `logarithms`.
///   - queriesGradient: As `queries`, overwritten.
///   - othersGradient: As `others`, overwritten.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func attentionGradient<S: Scalar>(
  _ shape: AttentionShape, sequences: Int, queries: Block<S>, others: Block<S>?,
  lengths: AttentionLengths<S> = AttentionLengths(), output: Block<S>, logarithms: Block<S>,
  outputGradient: Block<S>, queriesGradient: Block<S>, othersGradient: Block<S>?, scratch: Block<S>
) {
  @inline(never) func run() {
    let pass = AttentionPass<S>(shape, scratch: scratch)
    queriesGradient.fill(0)
    othersGradient?.fill(0)
    for sequence in 0..<sequences {
      let (q, k, v) = pass.operands(queries, others ?? queries, sequence: sequence)
      let (dq, dk, dv) = pass.operands(
        queriesGradient, othersGradient ?? queriesGradient, sequence: sequence)
      let y = Rows(output, row: sequence * shape.queries, width: shape.channels)
      let dy = Rows(outputGradient, row: sequence * shape.queries, width: shape.channels)
      let counted = pass.counted(lengths, sequence: sequence)
      for head in 0..<shape.heads {
        let column = head * shape.headSize
        let logs = logarithms.base + (sequence * shape.heads + head) * shape.queries
        pass.turn(k.at(0, column), into: pass.turnedKeys)
        pass.turn(v.at(0, column), into: pass.turnedValues)
        for start in stride(from: 0, to: counted.queries, by: pass.blockRows) {
          let block = pass.block(from: start, of: counted)
          let keys = pass.keys(seenBy: block, of: counted)
          let rows = block.count
          pass.products(q.at(start, column), pass.turnedKeys, rows, keys, into: pass.first)
          for row in 0..<rows {
            pass.probabilities(
              row, keys: pass.keys(seenBy: start + row, of: counted), of: keys,
              logarithm: logs[start + row])
          }
          pass.turnedProduct(
            pass.first, keys, dy.at(start, column), into: dv.at(0, column), depth: rows)
          pass.products(dy.at(start, column), pass.turnedValues, rows, keys, into: pass.second)
          for row in 0..<rows {
            pass.scoreGradients(
              row, of: keys, output: y.at(start + row, column), gradient: dy.at(start + row, column)
            )
          }
          pass.product(
            pass.second, keys, k.at(0, column), into: dq.at(start, column), rows: rows,
            depth: keys)
          pass.turnedProduct(
            pass.second, keys, q.at(start, column), into: dk.at(0, column), depth: rows)
        }
      }
    }
  }
  run()
}

/// Elements of scratch that `attention` and its gradient need.
package func attentionScratchCount<S: Scalar>(_ shape: AttentionShape, of type: S.Type) -> Int {
  let rows = AttentionPass<S>.rows(shape)
  let products = [
    MatrixShape(rows: rows, columns: shape.keys, depth: shape.headSize),
    MatrixShape(rows: rows, columns: shape.headSize, depth: shape.keys),
    MatrixShape(rows: shape.keys, columns: shape.headSize, depth: rows),
  ].map { matrixProductScratchCount($0, of: type) }
  return 2 * AttentionPass<S>.scoreCount(shape) + 2 * AttentionPass<S>.turnedCount(shape)
    + (products.max() ?? 0)
}

/// How many queries and keys of each sequence count, `[N]` each; nil: all.
package struct AttentionLengths<S: Scalar> {
  package var queries: Block<S>?
  package var keys: Block<S>?

  package init(queries: Block<S>? = nil, keys: Block<S>? = nil) {
    self.queries = queries
    self.keys = keys
  }
}

/// Rows of a matrix whose heads stand side by side.
private struct Rows<S: Scalar> {
  let block: Block<S>
  let start: Int
  let width: Int

  init(_ block: Block<S>, row: Int, width: Int, offset: Int = 0) {
    self.block = block
    self.width = width
    start = row * width + offset
  }

  func at(_ row: Int, _ column: Int) -> RowsFrom<S> {
    let first = start + row * width + column
    return RowsFrom(block: block[first..<block.count], stride: width)
  }
}

private struct RowsFrom<S: Scalar> {
  let block: Block<S>
  let stride: Int
}

/// The memory of a pass and its products.
private struct AttentionPass<S: Scalar> {
  let shape: AttentionShape
  /// Scores, then probabilities of a block, `[rows, keys]`.
  let first: Block<S>
  /// Their gradients.
  let second: Block<S>
  /// Of the head in hand, `[D, T']`: as the products with every block of queries read them.
  let turnedKeys: Block<S>
  let turnedValues: Block<S>
  let rest: Block<S>
  let scale: S

  /// Queries that meet all keys at a time: few enough for their scores to stay in a cache.
  static func rows(_ shape: AttentionShape) -> Int { min(shape.queries, 32) }

  static func scoreCount(_ shape: AttentionShape) -> Int {
    (rows(shape) * shape.keys + 31) / 16 * 16
  }

  init(_ shape: AttentionShape, scratch: Block<S>) {
    precondition(
      scratch.count >= attentionScratchCount(shape, of: S.self),
      "scratch of \(scratch.count) elements for \(shape)")
    self.shape = shape
    let count = Self.scoreCount(shape)
    first = scratch[0..<count]
    second = scratch[count..<2 * count]
    let turned = Self.turnedCount(shape)
    turnedKeys = scratch[2 * count..<2 * count + turned]
    turnedValues = scratch[2 * count + turned..<2 * count + 2 * turned]
    rest = scratch[2 * count + 2 * turned..<scratch.count]
    scale = 1 / S(shape.headSize).squareRoot()
  }

  /// Elements from a row of turned keys to the next, no multiple of a page.
  private static func turnedStride(_ shape: AttentionShape) -> Int {
    (shape.keys + 15) / 16 * 16 + 16
  }

  static func turnedCount(_ shape: AttentionShape) -> Int {
    (shape.headSize + 1) * turnedStride(shape)
  }

  /// `target[d, key] = rows[key, d]`
  func turn(_ rows: RowsFrom<S>, into target: Block<S>) {
    turnOver(
      rows.block.base, rowStride: rows.stride, rows: shape.keys, columns: shape.headSize,
      into: target.base, targetStride: Self.turnedStride(shape))
  }

  var blockRows: Int { Self.rows(shape) }

  /// Queries and keys that count; no queries where there are no keys.
  func counted(
    _ lengths: AttentionLengths<S>, sequence: Int
  ) -> (queries: Int, keys: Int) {
    let keys = lengths.keys.map { Int($0.base[sequence]) } ?? shape.keys
    let queries = lengths.queries.map { Int($0.base[sequence]) } ?? shape.queries
    return (keys > 0 ? queries : 0, keys)
  }

  func block(from start: Int, of counted: (queries: Int, keys: Int)) -> Range<Int> {
    start..<min(start + blockRows, counted.queries)
  }

  func keys(seenBy block: Range<Int>, of counted: (queries: Int, keys: Int)) -> Int {
    keys(seenBy: block.upperBound - 1, of: counted)
  }

  func keys(seenBy query: Int, of counted: (queries: Int, keys: Int)) -> Int {
    shape.isCausal ? min(query + 1, counted.keys) : counted.keys
  }

  /// Queries, keys and values of a sequence.
  func operands(
    _ queries: Block<S>, _ others: Block<S>, sequence: Int
  ) -> (Rows<S>, Rows<S>, Rows<S>) {
    let channels = shape.channels
    let row = sequence * shape.keys
    if shape.isSelf {
      return (
        Rows(queries, row: row, width: 3 * channels),
        Rows(queries, row: row, width: 3 * channels, offset: channels),
        Rows(queries, row: row, width: 3 * channels, offset: 2 * channels)
      )
    }
    return (
      Rows(queries, row: sequence * shape.queries, width: channels),
      Rows(others, row: row, width: 2 * channels),
      Rows(others, row: row, width: 2 * channels, offset: channels)
    )
  }

  /// `target = a b`, `[rows, keys]`, b turned keys or values.
  func products(
    _ a: RowsFrom<S>, _ b: Block<S>, _ rows: Int, _ keys: Int, into target: Block<S>
  ) {
    matrixProduct(
      MatrixShape(rows: rows, columns: keys, depth: shape.headSize), a: a.block,
      aRowStride: a.stride, aDepthStride: 1, b: b, bDepthStride: Self.turnedStride(shape),
      bColumnStride: 1, into: target, cRowStride: keys, scratch: rest)
  }

  /// `target = a b`, a `[rows, depth]` without gaps.
  func product(
    _ a: Block<S>, _ aStride: Int, _ b: RowsFrom<S>, into target: RowsFrom<S>, rows: Int,
    depth: Int
  ) {
    matrixProduct(
      MatrixShape(rows: rows, columns: shape.headSize, depth: depth), a: a, aRowStride: aStride,
      aDepthStride: 1, b: b.block, bDepthStride: b.stride, bColumnStride: 1, into: target.block,
      cRowStride: target.stride, scratch: rest)
  }

  /// `target += a^T b`, a `[depth, keys]` without gaps.
  func turnedProduct(
    _ a: Block<S>, _ keys: Int, _ b: RowsFrom<S>, into target: RowsFrom<S>, depth: Int
  ) {
    matrixProduct(
      MatrixShape(rows: keys, columns: shape.headSize, depth: depth), a: a, aRowStride: 1,
      aDepthStride: keys, b: b.block, bDepthStride: b.stride, bColumnStride: 1, into: target.block,
      cRowStride: target.stride, accumulate: true, scratch: rest)
  }

  /// Turns a row of scores into probabilities; what is hidden gets 0.
  ///
  /// - Returns: The logarithm of the sum of the exponentials of the scaled scores.
  func normalize(_ row: Int, keys: Int, of width: Int) -> S {
    let scores = first.base + row &* width
    let largest = largestInRow(scores, keys) * scale
    @inline(__always) func power(_ key: Int) -> S.Vector {
      let power = S.exponential(scores.vector(at: key) * scale - largest)
      scores.setVector(power, at: key, channel: key, of: keys)
      return power
    }
    let sum: S = sumAlongRow(keys, power)
    let share = 1 / sum
    @inline(__always) func probability(_ key: Int) -> S.Vector { scores.vector(at: key) * share }
    fillByVectors(scores, count: keys, probability)
    (scores + keys).fill(0, count: width - keys)
    return largest + S.logarithm(S.Vector(repeating: sum))[0]
  }

  /// The same from a logarithm that is known.
  func probabilities(_ row: Int, keys: Int, of width: Int, logarithm: S) {
    let scores = first.base + row &* width
    @inline(__always) func probability(_ key: Int) -> S.Vector {
      S.exponential(scores.vector(at: key) * scale - logarithm)
    }
    fillByVectors(scores, count: keys, probability)
    (scores + keys).fill(0, count: width - keys)
  }

  /// `second = first * (second - sum of output * gradient) / sqrt(D)` in one row.
  func scoreGradients(
    _ row: Int, of keys: Int, output: RowsFrom<S>, gradient: RowsFrom<S>
  ) {
    let (y, dy) = (output.block.base, gradient.block.base)
    @inline(__always) func term(_ channel: Int) -> S.Vector {
      y.vector(at: channel) * dy.vector(at: channel)
    }
    let mean: S = sumAlongRow(shape.headSize, term)
    let p = first.base + row &* keys
    let ds = second.base + row &* keys
    @inline(__always) func value(_ key: Int) -> S.Vector {
      p.vector(at: key) * (ds.vector(at: key) - mean) * scale
    }
    fillByVectors(ds, count: keys, value)
  }
}
