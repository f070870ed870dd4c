/// The sizes of a product `C[rows, columns] = A[rows, depth] * B[depth, columns]`.
package struct MatrixShape: Equatable, Sendable {
  package var rows: Int
  package var columns: Int
  package var depth: Int

  package init(rows: Int, columns: Int, depth: Int) {
    self.rows = rows
    self.columns = columns
    self.depth = depth
  }
}

/// How a product is cut so that its pieces stay in caches: a panel of B in L1, a block of A in L2,
/// a block of B in L3.
///
/// Blocks along the depth continue the sums where the block before left them, in the same order, so
/// blocking never changes a bit of the result.
///
/// Source: Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008, section 4.
struct MatrixBlocking: Equatable, Sendable {
  let rows: EvenSplit
  let columns: EvenSplit
  let depth: EvenSplit

  /// With 512 steps of Float these are 448 KB of a wide core's L2, 192 KB of another's.
  static func rowLimit<S: Scalar>(of type: S.Type) -> Int { 16 * TileLimits.rows(of: type) }
  static var depthLimit: Int { 512 }
  static var columnLimit: Int { 1024 }

  init<S: Scalar>(_ shape: MatrixShape, of type: S.Type) {
    rows = EvenSplit(shape.rows, limit: Self.rowLimit(of: type))
    columns = EvenSplit(shape.columns, limit: Self.columnLimit)
    depth = EvenSplit(shape.depth, limit: Self.depthLimit)
  }
}
