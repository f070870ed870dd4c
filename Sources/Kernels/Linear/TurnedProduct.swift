// Shapes: A [M, K] and B [K, N], both contiguous along K; C [M, N].

/// A product computed as `C^T = B^T * A^T`: few rows against weights that lie along the depth.
///
/// Turning B over costs more than multiplying it with few rows. So its columns are read where they lie, in
/// the place of rows, and the rows are packed as panels; only the rows and the result are turned over.
/// The sums are the same, multiply-add for multiply-add.
struct TurnedProduct<S: Scalar> {
  /// A as panels see it: its rows are columns.
  let left: PanelSource<S>
  let right: PanelSource<S>
  let c: UnsafeMutablePointer<S>
  let cRowStride: Int
  let workspace: TileWorkspace<S>
  let shape: MatrixShape

  private static var rowLimit: Int { 128 }
  private static var depthLimit: Int { 1024 }
  private static var columnLimit: Int { 1024 }

  /// Compares the steps of both ways per number of B: 1/32 for each row, and 0.3 to turn a number over.
  static func pays(_ shape: MatrixShape, left: PanelSource<S>, right: PanelSource<S>) -> Bool {
    guard left.depthStride == 1, right.depthStride == 1, right.columnStride != 1,
      shape.rows <= rowLimit, shape.depth > 0
    else { return false }
    let lanes = S.Vector.scalarCount
    let padded = Double((shape.rows + lanes - 1) / lanes * lanes)
    let turned = padded * (1 / Double(shape.columns) + 1 / Double(shape.depth))
    return padded / 32 + 0.3 * turned < Double(shape.rows) / 32 + 0.3
  }

  static func scratchCount(_ shape: MatrixShape) -> Int {
    let rows = min(shape.rows, rowLimit) + S.Vector.scalarCount
    return rows * (min(shape.depth, depthLimit) + min(shape.columns, columnLimit))
  }

  func run() {
    let columns = EvenSplit(shape.columns, limit: Self.columnLimit)
    let depth = EvenSplit(shape.depth, limit: Self.depthLimit)
    for columnBlock in 0..<columns.partCount {
      for depthBlock in 0..<depth.partCount {
        multiply(columns: columns[columnBlock], depth: depth[depthBlock])
      }
      storeTurned(columns[columnBlock])
    }
  }

  private var panels: PanelSplit { PanelSplit(columns: shape.rows, of: S.self) }

  /// `C^T` of a block of columns, `[N, M]` with padded rows.
  private var turned: UnsafeMutablePointer<S> {
    workspace.rest + min(shape.depth, Self.depthLimit) * panels.paddedColumns
  }

  private func multiply(columns: Range<Int>, depth: Range<Int>) {
    packPanels(depth)
    let panels = panels
    let tiles = EvenSplit(columns.count, limit: tileRows)
    let rowStride = panels.paddedColumns
    for tile in 0..<tiles.partCount {
      let range = tiles[tile]
      let source =
        right.start + (columns.lowerBound + range.lowerBound) * right.columnStride
        + depth.lowerBound
      for panel in 0..<panels.count {
        let target = turned + range.lowerBound * rowStride + panel * panels.width
        let continues = depth.lowerBound > 0
        let vectors = panels.vectors(of: panel)
        computeTile(
          .productsAlongDepth, rows: range.count, vectors: vectors,
          TileOperands<S>(
            a: source, aRows: RowStrides(right.columnStride),
            b: UnsafePointer(workspace.rest + panel * panels.width * depth.count),
            depth: DepthLoops(
              inner: DepthLoop(count: depth.count, aStride: 1, bStride: vectors * panels.lanes)),
            start: continues ? UnsafePointer(target) : workspace.zeros,
            startRowStride: continues ? rowStride : 0, c: target, cRowStride: rowStride))
      }
    }
  }

  /// Fewer rows than a set of L1 has places, where all rows fall into the same sets.
  private var tileRows: Int {
    let rows = TileLimits.rows(of: S.self)
    return right.columnStride * MemoryLayout<S>.size % 4096 == 0 ? min(rows, 10) : rows
  }

  private func packPanels(_ depth: Range<Int>) {
    var source = left
    source.start += depth.lowerBound
    let panels = panels
    for panel in 0..<panels.count {
      packPanel(
        source, depth: depth.count, columns: panels.validColumns(of: panel),
        width: panels.vectors(of: panel) * panels.lanes,
        into: workspace.rest + panel * panels.width * depth.count)
      source.start += panels.width * source.columnStride
    }
  }

  /// Writes a finished block where it belongs, nothing beside it.
  private func storeTurned(_ columns: Range<Int>) {
    let rowStride = panels.paddedColumns
    let target = c + columns.lowerBound
    let full = columns.count / 8 * 8
    if full > 0 {
      turnOver(
        UnsafePointer(turned), rowStride: rowStride, rows: full, columns: shape.rows, into: target,
        targetStride: cRowStride)
    }
    for column in full..<columns.count {
      for row in 0..<shape.rows {
        target[row * cRowStride + column] = turned[column * rowStride + row]
      }
    }
  }
}
