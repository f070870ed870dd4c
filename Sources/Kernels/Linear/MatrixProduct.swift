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
  let right = PanelSource(start: b.base, depthStride: bDepthStride, columnStride: bColumnStride)
  let left = PanelSource(start: a.base, depthStride: aDepthStride, columnStride: aRowStride)
  if bias == nil, !accumulate, TurnedProduct<S>.pays(shape, left: left, right: right) {
    TurnedProduct(
      left: left, right: right, c: c.base, cRowStride: cRowStride,
      workspace: TileWorkspace(scratch), shape: shape
    ).run()
    return
  }
  let access = MatrixAccess(shape, left: left, right: right)
  MatrixProduct<S>(
    a: a.base, aRowStride: aRowStride, aDepthStride: aDepthStride, b: right, bias: bias?.base,
    c: c.base, cRowStride: cRowStride, accumulates: accumulate, workspace: TileWorkspace(scratch),
    shape: shape, blocking: MatrixBlocking(shape, of: S.self, streams: access.streams),
    access: access
  ).run()
}

/// The scratch a product needs, in elements; grows with each size, so that the largest number of rows
/// serves all smaller ones.
package func matrixProductScratchCount<S: Scalar>(_ shape: MatrixShape, of type: S.Type) -> Int {
  let depth = min(shape.depth, MatrixBlocking.depthLimit)
  let columns = min(shape.columns, MatrixBlocking.columnLimit) + 2 * S.Vector.scalarCount
  // Every packed tile of A takes the room of the largest; steps are written a little too far.
  let tileRows = TileLimits.rows(of: S.self)
  let tileCount = min(
    EvenSplit(shape.rows, limit: tileRows).partCount, MatrixBlocking.tileLimit)
  let packedRows = tileCount * tileRows * depth + 16
  return TileWorkspace<S>.elementCount
    + max(depth * columns + packedRows, TurnedProduct<S>.scratchCount(shape))
}

/// One product on its way through its blocks.
struct MatrixProduct<S: Scalar> {
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
  let access: MatrixAccess
  /// nil: every element is one chain of sums.
  var tree: TreeTargets<S>?

  func run() {
    for columnBlock in 0..<blocking.columnBlocks.partCount {
      for depthBlock in 0..<max(1, blocking.depth.partCount) {
        let depth = shape.depth == 0 ? 0..<0 : blocking.depth[depthBlock]
        multiply(panels: blocking.columnBlocks[columnBlock], depth: depth)
      }
    }
  }

  /// One block of B times everything beside it.
  private func multiply(panels: Range<Int>, depth: Range<Int>) {
    let right = packB(panels, depth: depth)
    let behind = workspace.rest + depth.count * panels.count * blocking.panels.width
    for rowBlock in 0..<blocking.rowBlocks.partCount {
      let tiles = blocking.rowBlocks[rowBlock]
      let block = ProductBlock(
        left: packA(tiles, depth: depth, into: behind), right: right, tiles: tiles, panels: panels,
        depth: depth)
      if access.writesAcross {
        for tile in tiles {
          for panel in panels { multiply(block, tile: tile, panel: panel) }
        }
      } else {
        for panel in panels {
          for tile in tiles { multiply(block, tile: tile, panel: panel) }
        }
      }
    }
  }

  @inline(__always)
  private func multiply(_ block: ProductBlock<S>, tile: Int, panel: Int) {
    if let tree {
      multiply(block, tile: tile, panel: panel, into: tree)
      return
    }
    let rows = blocking.tiles[tile]
    let vectors = blocking.panels.vectors(of: panel)
    let column = panel * blocking.panels.width
    let target = c + rows.lowerBound * cRowStride + column
    let continues = accumulates || block.depth.lowerBound > 0
    let operands = TileOperands<S>(
      a: block.left.start(ofTile: tile - block.tiles.lowerBound, row: rows.lowerBound),
      aRows: RowStrides(block.left.rowStride),
      b: block.right.start + (panel - block.panels.lowerBound) * block.right.panelStride,
      depth: DepthLoops(
        inner: DepthLoop(
          count: block.depth.count, aStride: block.left.depthStride,
          bStride: block.right.rowStride ?? vectors * blocking.panels.lanes)),
      start: continues
        ? UnsafePointer(target) : bias.map { UnsafePointer($0 + column) } ?? workspace.zeros,
      startRowStride: continues ? cRowStride : 0, c: target, cRowStride: cRowStride,
      ahead: access.streams ? readAhead(block, tile: tile, panel: panel) : ReadAhead())
    if access.writesAcross {
      if panel + 1 < block.panels.upperBound {
        prefetch(target + blocking.panels.width, rows: rows.count)
      }
    } else if block.depth.count >= 64, tile + 1 < block.tiles.upperBound {
      prefetch(target + rows.count * cRowStride, rows: rows.count)
    }
    workspace.compute(
      block.left.operation, rows: rows.count, columns: blocking.panels.validColumns(of: panel),
      vectors: vectors, operands)
  }

  @inline(never)
  private func multiply(
    _ block: ProductBlock<S>, tile: Int, panel: Int, into tree: TreeTargets<S>
  ) {
    let rows = blocking.tiles[tile]
    let vectors = blocking.panels.vectors(of: panel)
    let width = vectors * blocking.panels.lanes
    let bStride = block.right.rowStride ?? width
    let a = block.left.start(ofTile: tile - block.tiles.lowerBound, row: rows.lowerBound)
    let b = block.right.start + (panel - block.panels.lowerBound) * block.right.panelStride
    let outputs = TileOutputs(
      offset: rows.lowerBound * cRowStride + panel * blocking.panels.width, rowStride: cRowStride,
      rows: rows.count, width: width, columns: blocking.panels.validColumns(of: panel))
    tree.add(outputs) { part, buffer in
      let depth = tree.depth(ofPart: part)
      let operands = TileOperands<S>(
        a: a + depth.lowerBound * block.left.depthStride, aRows: RowStrides(block.left.rowStride),
        b: b + depth.lowerBound * bStride,
        depth: DepthLoops(
          inner: DepthLoop(count: depth.count, aStride: block.left.depthStride, bStride: bStride)),
        start: workspace.zeros, startRowStride: 0, c: buffer, cRowStride: width)
      computeTile(block.left.operation, rows: rows.count, vectors: vectors, operands)
    }
  }

  private func prefetch(_ tile: UnsafeMutablePointer<S>, rows: Int) {
    let lines = TileLimits.vectors
    for row in 0..<rows {
      for line in 0..<lines { cpu_prefetch(tile + row * cRowStride + line * S.Vector.scalarCount) }
    }
  }

  /// A row of the next block of B, line after line, which is what the processor fetches fastest: one row
  /// for each tile of this block, as long as there are rows.
  private func readAhead(_ block: ProductBlock<S>, tile: Int, panel: Int) -> ReadAhead<S> {
    let row = (panel - block.panels.lowerBound) * block.tiles.count + tile - block.tiles.lowerBound
    guard row < block.depth.count else { return ReadAhead() }
    let isLast = block.depth.upperBound == shape.depth
    let nextDepth = isLast ? 0 : block.depth.upperBound
    let nextPanel = isLast ? block.panels.upperBound : block.panels.lowerBound
    let lanes = S.Vector.scalarCount
    let lineCount = block.panels.count * TileLimits.vectors
    // With fewer steps than lines every second one: lines arrive in pairs.
    return ReadAhead(
      first: b.start + (nextDepth + row) * b.depthStride + nextPanel * blocking.panels.width,
      stride: lineCount > block.depth.count ? 2 * lanes : lanes)
  }

  /// B as panels: a copy, or the block itself where its rows are contiguous and read too seldom to
  /// repay one.
  private func packB(_ range: Range<Int>, depth: Range<Int>) -> RightBlock<S> {
    let panels = blocking.panels
    var source = b
    source.start +=
      depth.lowerBound * b.depthStride + range.lowerBound * panels.width * b.columnStride
    if access.readsBInPlace {
      return RightBlock(start: source.start, panelStride: panels.width, rowStride: b.depthStride)
    }
    let panelStride = panels.width * depth.count
    for panel in range {
      packPanel(
        source, depth: depth.count, columns: panels.validColumns(of: panel),
        width: panels.vectors(of: panel) * panels.lanes,
        into: workspace.rest + (panel - range.lowerBound) * panelStride)
      source.start += panels.width * b.columnStride
    }
    return RightBlock(
      start: UnsafePointer(workspace.rest), panelStride: panelStride, rowStride: nil)
  }

  /// A as tiles read it: as it lies, or a copy where many panels read a block whose strides are bad.
  private func packA(
    _ range: Range<Int>, depth: Range<Int>, into target: UnsafeMutablePointer<S>
  ) -> LeftBlock<S> {
    let source = a + depth.lowerBound * aDepthStride
    switch access.left {
    case .alongDepth: return .alongDepth(source, rowStride: aRowStride)
    case .alongRows: return .alongRows(source, depthStride: aDepthStride)
    case .packed: break
    }
    let tileStride = TileLimits.rows(of: S.self) * depth.count
    for tile in range {
      let rows = blocking.tiles[tile]
      packSteps(
        source + rows.lowerBound * aRowStride, rowStride: aRowStride, depthStride: aDepthStride,
        rows: rows.count, depth: depth.count,
        into: target + (tile - range.lowerBound) * tileStride)
    }
    return .packedSteps(UnsafePointer(target), depth: depth.count)
  }
}
