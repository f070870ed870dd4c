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

/// How a product is cut so that its pieces stay in caches: a tile of A and a panel of B near L1, blocks of
/// both in L2.
///
/// Blocks along the depth continue the sums where the block before left them, in the same order, so
/// blocking never changes a bit of the result.
///
/// Source: Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, 2008, section 4.
struct MatrixBlocking: Equatable, Sendable {
  /// The rows as tiles, and the tiles as blocks.
  let tiles: EvenSplit
  let rowBlocks: EvenSplit
  /// The columns as panels, and the panels as blocks: none but the last panel is narrow.
  let panels: PanelSplit
  let columnBlocks: EvenSplit
  let depth: EvenSplit

  /// With 512 steps of Float these are 448 KB of a wide core's L2, 192 KB of another's.
  static var tileLimit: Int { 16 }
  static var depthLimit: Int { 512 }
  /// While a block of B that streams from memory is multiplied, the next one joins it in L2.
  static var streamedDepthLimit: Int { 64 }
  static var columnLimit: Int { 1024 }

  /// - Parameter streams: Whether B is read where it lies, from memory.
  init<S: Scalar>(_ shape: MatrixShape, of type: S.Type, streams: Bool) {
    tiles = EvenSplit(shape.rows, limit: TileLimits.rows(of: type))
    rowBlocks = EvenSplit(tiles.partCount, limit: Self.tileLimit)
    panels = PanelSplit(columns: shape.columns, of: type)
    columnBlocks = EvenSplit(panels.count, limit: max(1, Self.columnLimit / panels.width))
    // One tile per panel fetches half as many lines as two.
    let streamed = tiles.partCount == 1 ? Self.streamedDepthLimit / 2 : Self.streamedDepthLimit
    depth = EvenSplit(shape.depth, limit: streams ? streamed : Self.depthLimit)
  }
}
