import Storage

// m outputs per side of a tile; n = m + 2; T tiles in a block.

/// What the products of tiles have in common: a walk over blocks of T tiles whose inputs are transformed
/// into `[n², T, Cin]`.
struct WinogradPass<S: Scalar, Tile: WinogradTile> {
  let plan: WinogradPlan
  let images: Int
  let source: UnsafeMutablePointer<S>
  let workspace: WinogradWorkspace<S>
  let sizes: WinogradSizes<S>
  let panels: PanelSplit
  let transforms: WinogradTransforms<S, Tile>

  init(
    _ plan: WinogradPlan, _ tile: Tile.Type, images: Int, source: UnsafeMutablePointer<S>,
    workspace: WinogradWorkspace<S>
  ) {
    self.plan = plan
    self.images = images
    self.source = source
    self.workspace = workspace
    sizes = WinogradSizes(plan)
    panels = PanelSplit(columns: plan.target.channels, of: S.self)
    transforms = WinogradTransforms(workspace: workspace)
  }

  /// Calls `body` with the tiles of each block; their inputs lie in `workspace.sources`.
  @inline(__always)
  func forEachBlock(_ body: (Range<Int>) -> Void) {
    let tileCount = images * plan.tileCount
    for first in stride(from: 0, to: tileCount, by: sizes.blockTiles) {
      let tiles = first..<min(first + sizes.blockTiles, tileCount)
      forEachTile(tiles) { index, image, row, column in
        transforms.transformInput(
          source + image * plan.source.count, plan.source, row: row - plan.padTop,
          column: column - plan.padLeft, into: workspace.sources + index * sizes.sourceChannels,
          plane: sizes.sourcePlane)
      }
      body(tiles)
    }
  }

  /// Calls `body` with the number in the block, the image and the first output of each tile.
  @inline(__always)
  func forEachTile(
    _ tiles: Range<Int>, _ body: (_ index: Int, _ image: Int, _ row: Int, _ column: Int) -> Void
  ) {
    for tile in tiles {
      let place = plan.place(ofTile: tile)
      body(tile - tiles.lowerBound, place.image, place.row, place.column)
    }
  }
}
