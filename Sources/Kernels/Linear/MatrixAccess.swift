/// How a product reads its operands and writes its result. Decided by sizes and strides alone.
struct MatrixAccess: Equatable, Sendable {
  enum Left: Equatable, Sendable {
    case alongDepth
    case alongRows
    case packed
  }

  let left: Left
  let readsBInPlace: Bool
  /// Whether B comes from memory, slower than it is multiplied.
  let streams: Bool
  /// Whether a result that lies in memory is written line after line, since little is read for it.
  let writesAcross: Bool

  init<S: Scalar>(_ shape: MatrixShape, left a: PanelSource<S>, right b: PanelSource<S>) {
    readsBInPlace = b.columnStride == 1 && Self.readsInPlace(b.depthStride, shape.rows, of: S.self)
    let element = MemoryLayout<S>.size
    streams = readsBInPlace && shape.depth * shape.columns * element > Self.cachedBytes
    writesAcross =
      shape.depth <= Self.shallowDepth && shape.rows * shape.columns * element > Self.cachedBytes
    let (rowStride, depthStride) = (a.columnStride, a.depthStride)
    if depthStride == 1, !streams,
      !Self.collides(rowStride, of: S.self)
        || Self.readsInPlace(rowStride, shape.columns, of: S.self)
    {
      left = .alongDepth
    } else if rowStride == 1, Self.readsInPlace(depthStride, shape.columns, of: S.self) {
      left = .alongRows
    } else {
      left = .packed
    }
  }

  /// What stays in a core's own cache from call to call.
  private static var cachedBytes: Int { 1024 * 1024 }
  private static var shallowDepth: Int { 128 }

  /// Whether a block is read so seldom, by `count` rows or columns, that a copy would not pay.
  private static func readsInPlace<S: Scalar>(_ stride: Int, _ count: Int, of type: S.Type) -> Bool
  {
    count <= (collides(stride, of: type) ? 96 : 288)
  }

  /// Whether steps are multiples of half a page and so all fall into a few sets of every cache.
  private static func collides<S: Scalar>(_ stride: Int, of type: S.Type) -> Bool {
    stride * MemoryLayout<S>.size % (TileLimits.isWide ? 2048 : 1024) == 0
  }
}
