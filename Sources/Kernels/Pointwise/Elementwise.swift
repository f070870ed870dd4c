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
  @inline(never) func run() {
    precondition(a.count == output.count && b.count == output.count, "blocks differ in length")
    @inline(__always) func vector(_ index: Int) -> S.Vector {
      a.base.vector(at: index) + b.base.vector(at: index)
    }
    fillExactly(output, vector: vector) { a.base[$0] + b.base[$0] }
  }
  run()
}

/// `output[i] = a[i] * b[i]`.
///
/// - Parameters:
///   - output: The same block as `a` or `b`, or one that overlaps neither.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func multiplyBlocks<S: Scalar>(_ a: Block<S>, _ b: Block<S>, into output: Block<S>) {
  @inline(never) func run() {
    precondition(a.count == output.count && b.count == output.count, "blocks differ in length")
    @inline(__always) func vector(_ index: Int) -> S.Vector {
      a.base.vector(at: index) * b.base.vector(at: index)
    }
    fillExactly(output, vector: vector) { a.base[$0] * b.base[$0] }
  }
  run()
}

/// `target[i] += source[i]`.
///
/// - Parameters:
///   - target: Must not overlap `source`, unless it is the same block.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func accumulate<S: Scalar>(_ source: Block<S>, into target: Block<S>) {
  @inline(never) func run() {
    precondition(source.count == target.count, "\(source.count) numbers into \(target.count)")
    @inline(__always) func vector(_ index: Int) -> S.Vector {
      target.base.vector(at: index) + source.base.vector(at: index)
    }
    fillExactly(target, vector: vector) { target.base[$0] + source.base[$0] }
  }
  run()
}

/// `block[i] *= factor`.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func scale<S: Scalar>(_ block: Block<S>, by factor: S) {
  @inline(never) func run() {
    @inline(__always) func vector(_ index: Int) -> S.Vector {
      block.base.vector(at: index) * factor
    }
    fillExactly(block, vector: vector) { block.base[$0] * factor }
  }
  run()
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
  @inline(never) func run() {
    precondition(rows * sourceChannels <= source.count, "\(rows) rows in \(source.count)")
    precondition(rows * targetChannels <= target.count, "\(rows) rows in \(target.count)")
    precondition(sourceOffset + count <= sourceChannels, "\(sourceOffset) + \(count)")
    precondition(targetOffset + count <= targetChannels, "\(targetOffset) + \(count)")
    for row in 0..<rows {
      let from = source.base + (row &* sourceChannels &+ sourceOffset)
      let to = target.base + (row &* targetChannels &+ targetOffset)
      @inline(__always) func sum(_ index: Int) -> S.Vector {
        to.vector(at: index) + from.vector(at: index)
      }
      if accumulate {
        fillByVectors(to, count: count, sum)
      } else {
        fillByVectors(to, count: count, from.vector)
      }
    }
  }
  run()
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
