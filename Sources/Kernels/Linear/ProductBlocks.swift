/// A block of A in one of the layouts a tile reads.
struct LeftBlock<S: Scalar> {
  let operation: TileOperation
  let start: UnsafePointer<S>
  let rowStride: Int
  let depthStride: Int
  /// The distance of packed tiles; nil where a tile starts at its first row.
  let tileStride: Int?

  static func alongDepth(_ start: UnsafePointer<S>, rowStride: Int) -> LeftBlock {
    LeftBlock(
      operation: .productsAlongDepth, start: start, rowStride: rowStride, depthStride: 1,
      tileStride: nil)
  }

  static func alongRows(_ start: UnsafePointer<S>, depthStride: Int) -> LeftBlock {
    LeftBlock(
      operation: .productsAlongRows, start: start, rowStride: 1, depthStride: depthStride,
      tileStride: nil)
  }

  static func packedSteps(_ start: UnsafePointer<S>, depth: Int) -> LeftBlock {
    LeftBlock(
      operation: .productsAlongRows, start: start, rowStride: 1,
      depthStride: TileLimits.rows(of: S.self),
      tileStride: TileLimits.rows(of: S.self) * depth)
  }

  /// Where the tile with this number in the block and this first row begins.
  @inline(__always) func start(ofTile tile: Int, row: Int) -> UnsafePointer<S> {
    start + (tileStride.map { tile * $0 } ?? row * rowStride)
  }
}

/// A block of B, packed or as it lies.
struct RightBlock<S: Scalar> {
  let start: UnsafePointer<S>
  let panelStride: Int
  /// The distance of rows where the block lies unpacked; packed rows are as wide as their panel.
  let rowStride: Int?
}

/// A block of A beside a block of B.
struct ProductBlock<S: Scalar> {
  let left: LeftBlock<S>
  let right: RightBlock<S>
  let tiles: Range<Int>
  let panels: Range<Int>
  let depth: Range<Int>
}
