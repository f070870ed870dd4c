import Storage

// m outputs per side of a tile; n = m + 2; T tiles in a block.

/// The gradient of a convolution by its weights, by tiles: for each of the n² places of a tile the sum over
/// all tiles of `[Cin, T] * [T, Cout]`, transformed back once at the end.
struct WinogradWeightGradient<S: Scalar, Tile: WinogradTile> {
  private let pass: WinogradPass<S, Tile>
  private let plan: WinogradPlan
  private let outputGradient: UnsafeMutablePointer<S>
  private let target: UnsafeMutablePointer<S>

  init(
    _ pass: WinogradPass<S, Tile>, outputGradient: UnsafeMutablePointer<S>,
    target: UnsafeMutablePointer<S>
  ) {
    self.pass = pass
    plan = pass.plan
    self.outputGradient = outputGradient
    self.target = target
  }

  @inline(never)
  func run() {
    pass.workspace.weights.fill(0, count: plan.products * pass.sizes.weightPlane)
    pass.forEachBlock { tiles in
      spreadGradients(tiles)
      for product in 0..<plan.products { multiply(product, tiles: tiles.count) }
    }
    gatherWeights()
  }

  private func spreadGradients(_ tiles: Range<Int>) {
    pass.forEachTile(tiles) { index, image, row, column in
      pass.transforms.spreadGradient(
        outputGradient + image * plan.target.count, plan.target, row: row, column: column,
        into: pass.workspace.targets + index * pass.sizes.targetChannels,
        plane: pass.sizes.targetPlane)
    }
  }

  /// Adds `[Cin, T] * [T, Cout]` at one place of all tiles.
  private func multiply(_ product: Int, tiles: Int) {
    let (workspace, sizes, panels) = (pass.workspace, pass.sizes, pass.panels)
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
    let (n, lanes, workspace, sizes) = (
      Tile.inputs, S.Vector.scalarCount, pass.workspace, pass.sizes
    )
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
