/// Applies `line` to all columns of a square of vectors and then to all rows of what comes out.
///
/// - Parameters:
///   - source: `[count, count]` vectors, rows `rowStride` and columns `columnStride` apart.
///   - lines: Room for `target count * count` vectors.
///   - target: `[targetCount, targetCount]` vectors.
@inline(__always)
func transformSquare<S: Scalar>(
  _ source: UnsafeMutablePointer<S>, count: Int, rowStride: Int, columnStride: Int,
  lines: UnsafeMutablePointer<S>, into target: UnsafeMutablePointer<S>, targetCount: Int,
  targetRowStride: Int, targetColumnStride: Int,
  _ line: (VectorLine<S>, VectorLine<S>) -> Void
) {
  let lanes = S.Vector.scalarCount
  for column in 0..<count {
    line(
      VectorLine(source + column * columnStride, stride: rowStride),
      VectorLine(lines + column * lanes, stride: count * lanes))
  }
  for row in 0..<targetCount {
    line(
      VectorLine(lines + row * count * lanes, stride: lanes),
      VectorLine(target + row * targetRowStride, stride: targetColumnStride))
  }
}

/// Writes the first `count` lanes, perhaps all.
@inline(__always)
func storeLanes<S: Scalar>(_ value: S.Vector, to place: UnsafeMutablePointer<S>, count: Int) {
  if count == S.Vector.scalarCount {
    UnsafeMutableRawPointer(place).storeBytes(of: value, as: S.Vector.self)
  } else {
    S.store(value, to: place, count: count)
  }
}

/// Tiles of an image on their way into and out of transformed space.
struct WinogradTransforms<S: Scalar, Tile: WinogradTile> {
  let workspace: WinogradWorkspace<S>

  private var lanes: Int { S.Vector.scalarCount }

  /// `B^T d B` of one tile of `image`, into planes `plane` apart; zeros where it leaves the image.
  @inline(__always)
  func transformInput(
    _ image: UnsafeMutablePointer<S>, _ grid: WinogradPlan.Grid, row: Int, column: Int,
    into target: UnsafeMutablePointer<S>, plane: Int
  ) {
    let n = Tile.inputs
    spread(
      image, grid, row: row, column: column, count: n, targetCount: n, into: target, plane: plane
    ) { Tile.transformInput($0, into: $1) }
  }

  /// `A dY A^T` of one tile.
  @inline(__always)
  func spreadGradient(
    _ image: UnsafeMutablePointer<S>, _ grid: WinogradPlan.Grid, row: Int, column: Int,
    into target: UnsafeMutablePointer<S>, plane: Int
  ) {
    spread(
      image, grid, row: row, column: column, count: Tile.outputs, targetCount: Tile.inputs,
      into: target, plane: plane
    ) { Tile.spreadGradient($0, into: $1) }
  }

  /// `A^T M A` of one tile plus the bias, where it lies inside the image.
  @inline(__always)
  func gatherOutput(
    _ products: UnsafeMutablePointer<S>, plane: Int, bias: UnsafePointer<S>?,
    into image: UnsafeMutablePointer<S>, _ grid: WinogradPlan.Grid, row: Int, column: Int
  ) {
    let (n, m) = (Tile.inputs, Tile.outputs)
    let (rows, columns) = (min(m, grid.rows - row), min(m, grid.columns - column))
    let corner = image + (row * grid.columns + column) * grid.channels
    for channel in stride(from: 0, to: grid.channels, by: lanes) {
      transformSquare(
        products + channel, count: n, rowStride: n * plane, columnStride: plane,
        lines: workspace.lines, into: workspace.patch, targetCount: m, targetRowStride: m * lanes,
        targetColumnStride: lanes
      ) { Tile.gatherOutput($0, into: $1) }
      let count = min(lanes, grid.channels - channel)
      let start = bias.map { UnsafeRawPointer($0 + channel).loadUnaligned(as: S.Vector.self) }
      let patch = VectorLine(workspace.patch, stride: lanes)
      for y in 0..<rows {
        for x in 0..<columns {
          let place = corner + (y * grid.columns + x) * grid.channels + channel
          let value = patch[y * m + x] + (start ?? S.Vector(repeating: 0))
          storeLanes(value, to: place, count: count)
        }
      }
    }
  }

  /// Transforms a square of pixels, all channels.
  @inline(__always)
  private func spread(
    _ image: UnsafeMutablePointer<S>, _ grid: WinogradPlan.Grid, row: Int, column: Int, count: Int,
    targetCount: Int, into target: UnsafeMutablePointer<S>, plane: Int,
    _ line: (VectorLine<S>, VectorLine<S>) -> Void
  ) {
    let isInside =
      row >= 0 && column >= 0 && row + count <= grid.rows && column + count <= grid.columns
    let corner = image + (row * grid.columns + column) * grid.channels
    for channel in stride(from: 0, to: grid.channels, by: lanes) {
      if !isInside {
        copyPatch(corner + channel, grid, row: row, column: column, count: count)
      }
      transformSquare(
        isInside ? corner + channel : workspace.patch, count: count,
        rowStride: isInside ? grid.columns * grid.channels : count * lanes,
        columnStride: isInside ? grid.channels : lanes, lines: workspace.lines,
        into: target + channel, targetCount: targetCount, targetRowStride: targetCount * plane,
        targetColumnStride: plane, line)
    }
  }

  /// One vector of channels of a square that reaches over the image's edges.
  @inline(__always)
  private func copyPatch(
    _ corner: UnsafeMutablePointer<S>, _ grid: WinogradPlan.Grid, row: Int, column: Int, count: Int
  ) {
    let patch = VectorLine(workspace.patch, stride: lanes)
    for y in 0..<count {
      let isRow = row + y >= 0 && row + y < grid.rows
      let line = VectorLine(corner + y * grid.columns * grid.channels, stride: grid.channels)
      for x in 0..<count {
        let isPixel = isRow && column + x >= 0 && column + x < grid.columns
        patch[y * count + x] = isPixel ? line[x] : S.Vector(repeating: 0)
      }
    }
  }
}
