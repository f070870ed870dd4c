import Storage

// m outputs per side of a tile; n = m + 2; T tiles in a block.

/// A convolution by tiles, or its gradient by data: block by block of T tiles, transform the inputs, take
/// one matrix product `[T, Cin] * [Cin, Cout]` for each of the n² places of a tile, transform back.
struct WinogradProduct<S: Scalar, Tile: WinogradTile> {
  private let pass: WinogradPass<S, Tile>
  private let plan: WinogradPlan
  private let bias: UnsafePointer<S>?
  private let target: UnsafeMutablePointer<S>

  init(_ pass: WinogradPass<S, Tile>, bias: UnsafePointer<S>?, target: UnsafeMutablePointer<S>) {
    self.pass = pass
    plan = pass.plan
    self.bias = bias
    self.target = target
  }

  /// - Parameter weights: `[3, 3, Cin, Cout]` of this product.
  @inline(never)
  func run(weights: UnsafeMutablePointer<S>) {
    transformWeights(weights)
    pass.forEachBlock { tiles in
      for product in 0..<plan.products { multiply(product, tiles: tiles.count) }
      gatherOutputs(tiles)
    }
  }

  /// Weights as panels `[place, panel, Cin, panel width]`.
  private func transformWeights(_ weights: UnsafeMutablePointer<S>) {
    let (n, lanes, panels, sizes) = (Tile.inputs, S.Vector.scalarCount, pass.panels, pass.sizes)
    let tap = plan.source.channels * plan.target.channels
    for panel in 0..<panels.count {
      let width = panels.vectors(of: panel) * lanes
      let start = pass.workspace.weights + panel * panels.width * plan.source.channels
      for channel in 0..<plan.source.channels {
        let row = weights + channel * plan.target.channels + panel * panels.width
        for column in stride(from: 0, to: width, by: lanes) {
          transformSquare(
            row + column, count: 3, rowStride: 3 * tap, columnStride: tap,
            lines: pass.workspace.lines, into: start + channel * width + column, targetCount: n,
            targetRowStride: n * sizes.weightPlane, targetColumnStride: sizes.weightPlane
          ) { Tile.transformWeights($0, into: $1) }
        }
      }
    }
  }

  private func gatherOutputs(_ tiles: Range<Int>) {
    pass.forEachTile(tiles) { index, image, row, column in
      pass.transforms.gatherOutput(
        pass.workspace.targets + index * pass.sizes.targetChannels, plane: pass.sizes.targetPlane,
        bias: bias, into: target + image * plan.target.count, plan.target, row: row,
        column: column)
    }
  }

  /// `[T, Cin] * [Cin, Cout]` at one place of all tiles.
  private func multiply(_ product: Int, tiles: Int) {
    let (workspace, sizes, panels) = (pass.workspace, pass.sizes, pass.panels)
    let a = workspace.sources + product * sizes.sourcePlane
    let b = workspace.weights + product * sizes.weightPlane
    let c = workspace.targets + product * sizes.targetPlane
    let rows = EvenSplit(tiles, limit: TileLimits.rows(underColumns: panels.columns, of: S.self))
    for panel in 0..<panels.count {
      let width = panels.vectors(of: panel) * panels.lanes
      for part in 0..<rows.partCount {
        let range = rows[part]
        workspace.tiles.compute(
          .productsAlongDepth, rows: range.count, columns: width,
          vectors: panels.vectors(of: panel),
          TileOperands(
            a: a + range.lowerBound * sizes.sourceChannels,
            aRows: RowStrides(sizes.sourceChannels),
            b: b + panel * panels.width * plan.source.channels,
            depth: DepthLoops(
              inner: DepthLoop(count: plan.source.channels, aStride: 1, bStride: width)),
            start: workspace.tiles.zeros, startRowStride: 0,
            c: c + range.lowerBound * sizes.targetChannels + panel * panels.width,
            cRowStride: sizes.targetChannels))
      }
    }
  }
}
