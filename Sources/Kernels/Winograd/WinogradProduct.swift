import Storage

// m outputs per side of a tile; n = m + 2; T tiles in a block.

/// A convolution by tiles, or its gradient by data: block by block of T tiles, transform the inputs, take
/// one matrix product `[T, Cin] * [Cin, Cout]` for each of the n² places of a tile, transform back.
struct WinogradProduct<S: Scalar, Tile: WinogradTile> {
  private let plan: WinogradPlan
  private let images: Int
  private let source: UnsafeMutablePointer<S>
  private let bias: UnsafePointer<S>?
  private let target: UnsafeMutablePointer<S>
  private let workspace: WinogradWorkspace<S>
  private let transforms: WinogradTransforms<S, Tile>
  private let sizes: WinogradSizes<S>
  private let panels: PanelSplit

  init(
    _ plan: WinogradPlan, _ tile: Tile.Type, images: Int, source: UnsafeMutablePointer<S>,
    bias: UnsafePointer<S>?, target: UnsafeMutablePointer<S>, workspace: WinogradWorkspace<S>
  ) {
    self.plan = plan
    self.images = images
    self.source = source
    self.bias = bias
    self.target = target
    self.workspace = workspace
    transforms = WinogradTransforms(workspace: workspace)
    sizes = WinogradSizes(plan)
    panels = PanelSplit(columns: plan.target.channels, of: S.self)
  }

  /// - Parameter weights: `[3, 3, Cin, Cout]` of this product.
  @inline(never)
  func run(weights: UnsafeMutablePointer<S>) {
    transformWeights(weights)
    let tileCount = images * plan.tileCount
    for first in stride(from: 0, to: tileCount, by: sizes.blockTiles) {
      let tiles = first..<min(first + sizes.blockTiles, tileCount)
      transformInputs(tiles)
      for product in 0..<plan.products { multiply(product, tiles: tiles.count) }
      gatherOutputs(tiles)
    }
  }

  /// Weights as panels `[place, panel, Cin, panel width]`.
  private func transformWeights(_ weights: UnsafeMutablePointer<S>) {
    let (n, lanes) = (Tile.inputs, S.Vector.scalarCount)
    let tap = plan.source.channels * plan.target.channels
    for panel in 0..<panels.count {
      let width = panels.vectors(of: panel) * lanes
      let start = workspace.weights + panel * panels.width * plan.source.channels
      for channel in 0..<plan.source.channels {
        let row = weights + channel * plan.target.channels + panel * panels.width
        for column in stride(from: 0, to: width, by: lanes) {
          transformSquare(
            row + column, count: 3, rowStride: 3 * tap, columnStride: tap, lines: workspace.lines,
            into: start + channel * width + column, targetCount: n,
            targetRowStride: n * sizes.weightPlane, targetColumnStride: sizes.weightPlane
          ) { Tile.transformWeights($0, into: $1) }
        }
      }
    }
  }

  private func transformInputs(_ tiles: Range<Int>) {
    for tile in tiles {
      let place = plan.place(ofTile: tile)
      transforms.transformInput(
        source + place.image * plan.source.count, plan.source, row: place.row - plan.padTop,
        column: place.column - plan.padLeft,
        into: workspace.sources + (tile - tiles.lowerBound) * sizes.sourceChannels,
        plane: sizes.sourcePlane)
    }
  }

  private func gatherOutputs(_ tiles: Range<Int>) {
    for tile in tiles {
      let place = plan.place(ofTile: tile)
      transforms.gatherOutput(
        workspace.targets + (tile - tiles.lowerBound) * sizes.targetChannels,
        plane: sizes.targetPlane, bias: bias, into: target + place.image * plan.target.count,
        plan.target, row: place.row, column: place.column)
    }
  }

  /// `[T, Cin] * [Cin, Cout]` at one place of all tiles.
  private func multiply(_ product: Int, tiles: Int) {
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
