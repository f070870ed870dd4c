import Storage

// m outputs per side of a tile; n = m + 2; T tiles in a block.

/// The gradient of a convolution by its weights, by tiles: for each of the n² places of a tile the sum over
/// all tiles of `[Cin, T] * [T, Cout]`, transformed back once at the end.
struct WinogradWeightGradient<S: Scalar, Tile: WinogradTile> {
  private let plan: WinogradPlan
  private let images: Int
  private let input: UnsafeMutablePointer<S>
  private let outputGradient: UnsafeMutablePointer<S>
  private let target: UnsafeMutablePointer<S>
  private let workspace: WinogradWorkspace<S>
  private let transforms: WinogradTransforms<S, Tile>
  private let sizes: WinogradSizes<S>
  private let panels: PanelSplit

  init(
    _ plan: WinogradPlan, _ tile: Tile.Type, images: Int, input: UnsafeMutablePointer<S>,
    outputGradient: UnsafeMutablePointer<S>, target: UnsafeMutablePointer<S>,
    workspace: WinogradWorkspace<S>
  ) {
    self.plan = plan
    self.images = images
    self.input = input
    self.outputGradient = outputGradient
    self.target = target
    self.workspace = workspace
    transforms = WinogradTransforms(workspace: workspace)
    sizes = WinogradSizes(plan)
    panels = PanelSplit(columns: plan.target.channels, of: S.self)
  }

  @inline(never)
  func run() {
    workspace.weights.update(repeating: 0, count: plan.products * sizes.weightPlane)
    let tileCount = images * plan.tileCount
    for first in stride(from: 0, to: tileCount, by: sizes.blockTiles) {
      let tiles = first..<min(first + sizes.blockTiles, tileCount)
      transform(tiles)
      for product in 0..<plan.products { multiply(product, tiles: tiles.count) }
    }
    gatherWeights()
  }

  private func transform(_ tiles: Range<Int>) {
    for tile in tiles {
      let place = plan.place(ofTile: tile)
      let index = tile - tiles.lowerBound
      transforms.transformInput(
        input + place.image * plan.source.count, plan.source, row: place.row - plan.padTop,
        column: place.column - plan.padLeft,
        into: workspace.sources + index * sizes.sourceChannels, plane: sizes.sourcePlane)
      transforms.spreadGradient(
        outputGradient + place.image * plan.target.count, plan.target, row: place.row,
        column: place.column, into: workspace.targets + index * sizes.targetChannels,
        plane: sizes.targetPlane)
    }
  }

  /// Adds `[Cin, T] * [T, Cout]` at one place of all tiles.
  private func multiply(_ product: Int, tiles: Int) {
    let a = workspace.sources + product * sizes.sourcePlane
    let b = workspace.targets + product * sizes.targetPlane
    let c = workspace.weights + product * sizes.weightPlane
    let rows = EvenSplit(plan.source.channels, limit: TileLimits.rows(of: S.self))
    for panel in 0..<panels.count {
      let column = panel * panels.width
      for part in 0..<rows.partCount {
        let range = rows[part]
        let place = c + range.lowerBound * sizes.targetChannels + column
        workspace.tiles.compute(
          .productsAlongRows, rows: range.count,
          columns: panels.vectors(of: panel) * panels.lanes, vectors: panels.vectors(of: panel),
          TileOperands(
            a: a + range.lowerBound, aRows: RowStrides(1), b: b + column,
            depth: DepthLoops(
              inner: DepthLoop(
                count: tiles, aStride: sizes.sourceChannels, bStride: sizes.targetChannels)),
            start: UnsafePointer(place), startRowStride: sizes.targetChannels, c: place,
            cRowStride: sizes.targetChannels))
      }
    }
  }

  /// `G^T M G` for every pair of channels.
  private func gatherWeights() {
    let (n, lanes) = (Tile.inputs, S.Vector.scalarCount)
    let tap = plan.source.channels * plan.target.channels
    let taps = VectorLine(workspace.patch, stride: lanes)
    for channel in 0..<plan.source.channels {
      for column in stride(from: 0, to: plan.target.channels, by: lanes) {
        transformSquare(
          workspace.weights + channel * sizes.targetChannels + column, count: n,
          rowStride: n * sizes.weightPlane, columnStride: sizes.weightPlane, lines: workspace.lines,
          into: workspace.patch, targetCount: 3, targetRowStride: 3 * lanes,
          targetColumnStride: lanes
        ) { Tile.gatherWeightGradient($0, into: $1) }
        let count = min(lanes, plan.target.channels - column)
        for index in 0..<9 {
          let place = target + index * tap + channel * plan.target.channels + column
          storeLanes(taps[index], to: place, count: count)
        }
      }
    }
  }
}
