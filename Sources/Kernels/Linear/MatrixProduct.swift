import CInstructionSet
import Storage

// Shapes: A [M, K] of any strides, B [K, N] of any strides, C [M, N] with contiguous rows.

/// `C[m, n] = sum over k of A[m, k] * B[k, n]`, plus `bias[n]` or, when accumulating, plus `C[m, n]`.
///
/// Dense layers need three of these: forward `x * W + b`; gradient by data `dY * W^T`; gradient by
/// weights `x^T * dY`. Every element is one chain of fused multiply-adds that starts with the bias, the
/// old value or zero and runs in the order of k: the bits of a row do not depend on the other rows.
///
/// - Parameters:
///   - bias: `[N]`; not together with `accumulate`.
///   - c: `[M, N]`, rows `cRowStride` apart; overlaps neither A nor B.
///   - scratch: At least `matrixProductScratchCount` elements; its content means nothing between calls.
/// - Complexity: M·N·K multiply-adds, no allocation. May read up to 128 bytes past a block.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func matrixProduct<S: Scalar>(
  _ shape: MatrixShape,
  a: Block<S>, aRowStride: Int, aDepthStride: Int,
  b: Block<S>, bDepthStride: Int, bColumnStride: Int,
  bias: Block<S>? = nil,
  into c: Block<S>, cRowStride: Int, accumulate: Bool = false, scratch: Block<S>
) {
  precondition(bias == nil || !accumulate, "a sum starts either with a bias or with the old value")
  precondition(
    scratch.count >= matrixProductScratchCount(shape, of: S.self),
    "scratch of \(scratch.count) elements for \(shape)")
  guard shape.rows > 0, shape.columns > 0 else { return }
  let product = MatrixProduct<S>(
    a: a.base, aRowStride: aRowStride, aDepthStride: aDepthStride,
    b: PanelSource(start: b.base, depthStride: bDepthStride, columnStride: bColumnStride),
    bias: bias?.base, c: c.base, cRowStride: cRowStride, accumulates: accumulate,
    workspace: TileWorkspace(scratch), shape: shape, blocking: MatrixBlocking(shape, of: S.self))
  product.run()
}

/// The scratch a product needs, in elements; grows with each size, so that the largest number of rows
/// serves all smaller ones.
package func matrixProductScratchCount<S: Scalar>(_ shape: MatrixShape, of type: S.Type) -> Int {
  let depth = min(shape.depth, MatrixBlocking.depthLimit)
  let columns = min(shape.columns, MatrixBlocking.columnLimit) + S.Vector.scalarCount
  let rows = min(shape.rows, MatrixBlocking.rowLimit(of: type))
  // Every packed tile of A takes the room of the largest.
  let tileCount = EvenSplit(rows, limit: TileLimits.rows(of: S.self)).partCount + 1
  let packedRows = tileCount * TileLimits.rows(of: S.self) * (depth + MatrixProduct<S>.rowPadding)
  return TileWorkspace<S>.elementCount + depth * columns + packedRows
}

/// One product on its way through its blocks.
private struct MatrixProduct<S: Scalar> {
  let a: UnsafePointer<S>
  let aRowStride: Int
  let aDepthStride: Int
  let b: PanelSource<S>
  let bias: UnsafeMutablePointer<S>?
  let c: UnsafeMutablePointer<S>
  let cRowStride: Int
  let accumulates: Bool
  let workspace: TileWorkspace<S>
  let shape: MatrixShape
  let blocking: MatrixBlocking

  /// Keeps copied rows, which may be a power of two long, out of each other's way in a cache.
  static var rowPadding: Int { 16 }

  func run() {
    for columnBlock in 0..<blocking.columns.partCount {
      for depthBlock in 0..<max(1, blocking.depth.partCount) {
        let depth = shape.depth == 0 ? 0..<0 : blocking.depth[depthBlock]
        multiply(columns: blocking.columns[columnBlock], depth: depth)
      }
    }
  }

  /// One block of B times everything beside it.
  private func multiply(columns: Range<Int>, depth: Range<Int>) {
    let panels = PanelSplit(columns: columns.count, of: S.self)
    let block = packB(panels, columns: columns, depth: depth)
    let behind = workspace.rest + depth.count * panels.paddedColumns
    for part in 0..<blocking.rows.partCount {
      let rows = blocking.rows[part]
      let left = packA(rows: rows, depth: depth, into: behind)
      for panel in 0..<panels.count {
        multiply(
          left, rows: rows, depth: depth, panel: panel, of: panels, firstColumn: columns.lowerBound,
          b: block.start + panel * block.panelStride, bDepthStride: block.depthStride(panel, panels)
        )
      }
    }
  }

  /// The tiles of a block of rows under one panel.
  private func multiply(
    _ left: LeftBlock<S>, rows: Range<Int>, depth: Range<Int>, panel: Int, of panels: PanelSplit,
    firstColumn: Int, b: UnsafePointer<S>, bDepthStride: Int
  ) {
    let column = firstColumn + panel * panels.width
    let tiles = EvenSplit(rows.count, limit: TileLimits.rows(of: S.self))
    for tile in 0..<tiles.partCount {
      let range = tiles[tile]
      let target = c + (rows.lowerBound + range.lowerBound) * cRowStride + column
      let continues = accumulates || depth.lowerBound > 0
      let operands = TileOperands<S>(
        a: left.start + left.offset(ofTile: tile, row: range.lowerBound),
        aRows: RowStrides(left.rowStride), b: b,
        depth: DepthLoops(
          inner: DepthLoop(count: depth.count, aStride: left.depthStride, bStride: bDepthStride)),
        start: continues
          ? UnsafePointer(target) : bias.map { UnsafePointer($0 + column) } ?? workspace.zeros,
        startRowStride: continues ? cRowStride : 0, c: target, cRowStride: cRowStride)
      if depth.count >= 64, tile + 1 < tiles.partCount {
        prefetch(target + range.count * cRowStride, rows: range.count)
      }
      workspace.compute(
        left.operation, rows: range.count, columns: panels.validColumns(of: panel),
        vectors: panels.vectors(of: panel), operands)
    }
  }

  /// Whether a block is read so seldom, by `count` rows or columns, that a copy would not pay.
  private func readsInPlace(stride: Int, count: Int) -> Bool {
    count <= (collides(stride) ? 96 : 288)
  }

  /// Whether steps are multiples of half a page and so all fall into a few sets of every cache.
  private func collides(_ stride: Int) -> Bool {
    stride * MemoryLayout<S>.size % (TileLimits.isWide ? 2048 : 1024) == 0
  }

  private func prefetch(_ tile: UnsafeMutablePointer<S>, rows: Int) {
    let lines = TileLimits.vectors
    for row in 0..<rows {
      for line in 0..<lines { cpu_prefetch(tile + row * cRowStride + line * S.Vector.scalarCount) }
    }
  }

  /// B as panels: a copy, or the block itself where its rows are contiguous and read too seldom to
  /// repay one.
  private func packB(_ panels: PanelSplit, columns: Range<Int>, depth: Range<Int>) -> RightBlock<S>
  {
    var source = b
    source.start += depth.lowerBound * b.depthStride + columns.lowerBound * b.columnStride
    if b.columnStride == 1 && readsInPlace(stride: b.depthStride, count: shape.rows) {
      return RightBlock(start: source.start, panelStride: panels.width, rowStride: b.depthStride)
    }
    for panel in 0..<panels.count {
      packPanel(
        source, depth: depth.count, columns: panels.validColumns(of: panel),
        width: panels.vectors(of: panel) * panels.lanes,
        into: workspace.rest + panel * panels.width * depth.count)
      source.start += panels.width * b.columnStride
    }
    return RightBlock(
      start: UnsafePointer(workspace.rest), panelStride: panels.width * depth.count, rowStride: nil)
  }

  /// A as tiles read it: as it lies, or a copy where many panels read a block whose strides are bad.
  private func packA(
    rows: Range<Int>, depth: Range<Int>, into target: UnsafeMutablePointer<S>
  ) -> LeftBlock<S> {
    let source = a + rows.lowerBound * aRowStride + depth.lowerBound * aDepthStride
    if aDepthStride == 1 {
      guard !readsInPlace(stride: aRowStride, count: shape.columns), collides(aRowStride) else {
        return .alongDepth(source, rowStride: aRowStride)
      }
      let rowStride = depth.count + Self.rowPadding
      packRows(
        source, rowStride: aRowStride, rows: rows.count, depth: depth.count, into: target,
        targetStride: rowStride)
      return .alongDepth(UnsafePointer(target), rowStride: rowStride)
    }
    if aRowStride == 1 && readsInPlace(stride: aDepthStride, count: shape.columns) {
      return .alongRows(source, depthStride: aDepthStride)
    }
    let tiles = EvenSplit(rows.count, limit: TileLimits.rows(of: S.self))
    for tile in 0..<tiles.partCount {
      let range = tiles[tile]
      packSteps(
        source + range.lowerBound * aRowStride, rowStride: aRowStride, depthStride: aDepthStride,
        rows: range.count, depth: depth.count,
        into: target + tile * TileLimits.rows(of: S.self) * depth.count)
    }
    return .packedSteps(UnsafePointer(target), depth: depth.count)
  }
}
