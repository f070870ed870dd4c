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

  /// Numbers of A in one block: 256 KB at most of Float, half of the smallest L2 we meet.
  static var rowLimit: Int { 16 * TileLimits.rows }
  static var depthLimit: Int { 512 }
  static var columnLimit: Int { 1024 }

  init(_ shape: MatrixShape) {
    rows = EvenSplit(shape.rows, limit: Self.rowLimit)
    columns = EvenSplit(shape.columns, limit: Self.columnLimit)
    depth = EvenSplit(shape.depth, limit: Self.depthLimit)
  }
}
