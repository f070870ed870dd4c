import Storage

// Sums and products of blocks. None of these reads or writes past the end of a block, so they may
// run on memory that is not followed by slack, such as a window shared with other ranks.

/// `output[i] = a[i] + b[i]`.
///
/// - Parameters:
///   - output: The same block as `a` or `b`, or one that overlaps neither.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func addBlocks<S: Scalar>(_ a: Block<S>, _ b: Block<S>, into output: Block<S>) {
  precondition(a.count == output.count && b.count == output.count, "blocks differ in length")
  fillExactly(output, vector: { a.base.vector(at: $0) + b.base.vector(at: $0) }) {
    a.base[$0] + b.base[$0]
  }
}

/// `output[i] = a[i] * b[i]`.
///
/// - Parameters:
///   - output: The same block as `a` or `b`, or one that overlaps neither.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func multiplyBlocks<S: Scalar>(_ a: Block<S>, _ b: Block<S>, into output: Block<S>) {
  precondition(a.count == output.count && b.count == output.count, "blocks differ in length")
  fillExactly(output, vector: { a.base.vector(at: $0) * b.base.vector(at: $0) }) {
    a.base[$0] * b.base[$0]
  }
}

/// `target[i] += source[i]`.
///
/// - Parameters:
///   - target: Must not overlap `source`, unless it is the same block.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func accumulate<S: Scalar>(_ source: Block<S>, into target: Block<S>) {
  precondition(source.count == target.count, "\(source.count) numbers into \(target.count)")
  fillExactly(target, vector: { target.base.vector(at: $0) + source.base.vector(at: $0) }) {
    target.base[$0] + source.base[$0]
  }
}

/// `block[i] *= factor`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func scale<S: Scalar>(_ block: Block<S>, by factor: S) {
  fillExactly(block, vector: { block.base.vector(at: $0) * factor }) { block.base[$0] * factor }
}

/// Copies (or adds) `count` columns of one matrix into another: concatenation along the channels, and
/// its gradient.
///
/// `target[r, targetOffset + j] = source[r, sourceOffset + j]` for j in `0..<count`.
///
/// - Parameters:
///   - source: `[rows, sourceChannels]`.
///   - target: `[rows, targetChannels]`; must not overlap `source`.
///   - accumulate: Adds to the target instead of replacing it.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func copyColumns<S: Scalar>(
  from source: Block<S>, rows: Int, sourceChannels: Int, sourceOffset: Int, into target: Block<S>,
  targetChannels: Int, targetOffset: Int, count: Int, accumulate: Bool
) {
  precondition(rows * sourceChannels <= source.count, "\(rows) rows in \(source.count)")
  precondition(rows * targetChannels <= target.count, "\(rows) rows in \(target.count)")
  precondition(sourceOffset + count <= sourceChannels, "\(sourceOffset) + \(count)")
  precondition(targetOffset + count <= targetChannels, "\(targetOffset) + \(count)")
  for row in 0..<rows {
    let from = source.base + (row &* sourceChannels &+ sourceOffset)
    let to = target.base + (row &* targetChannels &+ targetOffset)
    if accumulate {
      fillByVectors(to, count: count) { to.vector(at: $0) + from.vector(at: $0) }
    } else {
      fillByVectors(to, count: count) { from.vector(at: $0) }
    }
  }
}

/// Whole vectors, then single numbers; both forms must compute the same bits.
@inline(__always)
private func fillExactly<S: Scalar>(
  _ output: Block<S>, vector: (Int) -> S.Vector, number: (Int) -> S
) {
  let whole = output.count &- output.count % S.lanes
  var index = 0
  while index < whole {
    output.base.setVector(vector(index), at: index)
    index &+= S.lanes
  }
  while index < output.count {
    output.base[index] = number(index)
    index &+= 1
  }
}
