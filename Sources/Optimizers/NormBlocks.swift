/// The cut of all tensors into blocks whose squares are summed as one, so that the norm of a tensor
/// has the same bits however its elements are spread over buckets, slices and ranks.
///
/// A block is at most `size` elements of one tensor, counted from the tensor's first element; the
/// last one of a tensor may be shorter. Borders are relative to the tensor, not to the parameter
/// buffer, so a norm depends on the tensor alone and not on where the plan puts it. Blocks are
/// numbered in the order of the buffer: those of any stretch cut at borders are consecutive.
package struct NormBlocks: Equatable, Sendable {
  /// 16 KiB of Float: what a pass writes is still in the first-level cache when it is summed.
  package static let size = 4096

  /// Offsets into the parameter buffer, ascending.
  package let ranges: [Range<Int>]
  /// The blocks of each tensor, by the tensor's place in the buffer.
  package let tensors: [Range<Int>]

  /// - Parameter segments: In the order of their offsets, without overlap.
  package init(_ segments: [ParameterSegment]) {
    var ranges: [Range<Int>] = []
    tensors = segments.map { segment in
      let first = ranges.count
      for start in stride(from: segment.offset, to: segment.range.upperBound, by: Self.size) {
        ranges.append(start..<min(start + Self.size, segment.range.upperBound))
      }
      return first..<ranges.count
    }
    self.ranges = ranges
  }

  /// The nearest place at or before `offset` where a slice may end: `offset` itself unless it lies
  /// inside a block.
  package func border(atOrBefore offset: Int) -> Int {
    let block = firstBlock(endingAfter: offset)
    guard block < ranges.count else { return offset }
    return min(offset, ranges[block].lowerBound)
  }

  /// Cuts `0..<length` into neighbouring slices of nearly the same length; no block is cut in two, and slices start
  /// on cache lines where tensors do. A slice may be empty.
  ///
  /// - Parameter length: Elements of the parameter buffer.
  package func slices(_ count: Int, of length: Int) -> [Range<Int>] {
    let line = 16
    let borders = (0...count).map { number in
      number == count ? length : border(atOrBefore: number * length / count / line * line)
    }
    return zip(borders, borders.dropFirst()).map { $0..<$1 }
  }

  /// The blocks that lie in `range`, a stretch of the parameter buffer.
  ///
  /// - Precondition: `range` cuts no block in two.
  package func blocks(in range: Range<Int>) -> Range<Int> {
    precondition(
      border(atOrBefore: range.lowerBound) == range.lowerBound
        && border(atOrBefore: range.upperBound) == range.upperBound,
      "\(range) is not cut at borders of blocks")
    let first = firstBlock(endingAfter: range.lowerBound)
    return first..<max(first, firstBlock(endingAfter: range.upperBound))
  }

  /// By bisection.
  private func firstBlock(endingAfter offset: Int) -> Int {
    var (low, high) = (0, ranges.count)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound > offset { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
