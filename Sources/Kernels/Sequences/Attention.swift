import Graph
import Storage

// Shapes: N sequences, T queries, T' keys, A heads of D channels, E = A D.

/// Scaled dot-product attention of several heads: `output = softmax(Q K^T / sqrt(D)) V` for each head.
///
/// A block of queries meets all keys at a time, so that scratch grows with T, not with its square. Scores stand as
/// `[keys, queries of the block]`: the queries are the lanes of vectors, and sums over keys run from vector to vector.
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
      let y = AttentionRows(output, row: sequence * shape.queries, width: shape.channels)
      let counted = pass.counted(lengths, sequence: sequence)
      for query in counted.queries..<shape.queries {
        clear(output, at: sequence * shape.queries + query, width: shape.channels)
      }
      for head in 0..<shape.heads {
        let column = head * shape.headSize
        let logs = logarithms.base + (sequence * shape.heads + head) * shape.queries
        for query in counted.queries..<shape.queries { logs[query] = 0 }
        for start in stride(from: 0, to: counted.queries, by: pass.blockRows) {
          let block = pass.block(from: start, of: counted)
          pass.turn(q.at(start, column), block.queries.count, into: pass.turnedQueries)
          pass.products(k.at(0, column), pass.turnedQueries, of: block, into: pass.first)
          pass.normalize(block, logarithms: logs + start)
          pass.sumOverKeys(
            pass.first, v.at(0, column), of: block, into: y.at(start, column))
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
      let y = AttentionRows(output, row: sequence * shape.queries, width: shape.channels)
      let dy = AttentionRows(outputGradient, row: sequence * shape.queries, width: shape.channels)
      let counted = pass.counted(lengths, sequence: sequence)
      for head in 0..<shape.heads {
        let column = head * shape.headSize
        let logs = logarithms.base + (sequence * shape.heads + head) * shape.queries
        for start in stride(from: 0, to: counted.queries, by: pass.blockRows) {
          let block = pass.block(from: start, of: counted)
          let rows = block.queries.count
          pass.turn(q.at(start, column), rows, into: pass.turnedQueries)
          pass.products(k.at(0, column), pass.turnedQueries, of: block, into: pass.first)
          pass.probabilities(block, logarithms: logs + start)
          pass.sumOverQueries(
            pass.first, dy.at(start, column), of: block, into: dv.at(0, column))
          pass.turn(dy.at(start, column), rows, into: pass.turnedGradients)
          pass.products(v.at(0, column), pass.turnedGradients, of: block, into: pass.second)
          pass.turn(y.at(start, column), rows, into: pass.turnedOutputs)
          pass.scoreGradients(block)
          pass.sumOverKeys(
            pass.second, k.at(0, column), of: block, into: dq.at(start, column))
          pass.sumOverQueries(
            pass.second, q.at(start, column), of: block, into: dk.at(0, column))
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
    MatrixShape(rows: shape.keys, columns: rows, depth: shape.headSize),
    MatrixShape(rows: rows, columns: shape.headSize, depth: shape.keys),
    MatrixShape(rows: shape.keys, columns: shape.headSize, depth: rows),
  ].map { matrixProductScratchCount($0, of: type) }
  return AttentionPass<S>.memoryCount(shape) + (products.max() ?? 0)
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
