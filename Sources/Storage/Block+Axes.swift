extension Block {
  /// Takes rows of a tensor whose first and last axes have changed places: `self[a, b, c] = source[c, b, a]`.
  ///
  /// It goes in squares of 16 x 16, so that cache lines are used whole on both sides.
  ///
  /// - Parameters:
  ///   - rows: The values of `a`; this block is `[rows.count, B, C]`.
  ///   - source: `[C, B, A]`; does not overlap this block.
  ///   - shape: A, B and C.
  package func copy(
    rows: Range<Int>, swappingAxesOf source: Block, shape: (a: Int, b: Int, c: Int)
  ) {
    precondition(
      0 <= rows.lowerBound && rows.upperBound <= shape.a
        && source.count == shape.a * shape.b * shape.c
        && count == rows.count * shape.b * shape.c,
      "rows \(rows) of \(shape) from \(source.count) elements into \(count)")
    let side = 16
    for b in 0..<shape.b {
      for firstA in stride(from: rows.lowerBound, to: rows.upperBound, by: side) {
        let square = firstA..<min(firstA + side, rows.upperBound)
        for firstC in stride(from: 0, to: shape.c, by: side) {
          for a in square {
            let target = ((a - rows.lowerBound) * shape.b + b) * shape.c
            for c in firstC..<min(firstC + side, shape.c) {
              // SAFETY: a, b and c lie inside the shape, for which both blocks have room.
              unsafe base[target + c] = source.base[(c * shape.b + b) * shape.a + a]
            }
          }
        }
      }
    }
  }
}
