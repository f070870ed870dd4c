// Copies of operands in the order in which tiles read them.

/// A matrix `[depth, columns]` somewhere in memory.
struct PanelSource<S: Scalar> {
  var start: UnsafePointer<S>
  var depthStride: Int
  var columnStride: Int
}

/// Writes `depth` rows of one panel, each `width` numbers. What lies behind the valid columns is zero or a
/// copy of one of them. Writes up to 7 numbers past the panel where `width` is no multiple of 8.
func packPanel<S: Scalar>(
  _ source: PanelSource<S>, depth: Int, columns: Int, width: Int,
  into panel: UnsafeMutablePointer<S>
) {
  if source.columnStride == 1 {
    packContiguousColumns(source, depth: depth, columns: columns, width: width, into: panel)
  } else {
    packStridedColumns(source, depth: depth, columns: columns, width: width, into: panel)
  }
}

private func packContiguousColumns<S: Scalar>(
  _ source: PanelSource<S>, depth: Int, columns: Int, width: Int,
  into panel: UnsafeMutablePointer<S>
) {
  let lanes = S.Vector.scalarCount
  guard columns == width else {
    for k in 0..<depth {
      let (from, to) = (source.start + k * source.depthStride, panel + k * width)
      for column in 0..<columns { to[column] = from[column] }
      for column in columns..<width { to[column] = 0 }
    }
    return
  }
  for k in 0..<depth {
    let (from, to) = (source.start + k * source.depthStride, panel + k * width)
    for column in stride(from: 0, to: width, by: lanes) {
      let vector = UnsafeRawPointer(from + column).loadUnaligned(as: S.Vector.self)
      UnsafeMutableRawPointer(to + column).storeBytes(of: vector, as: S.Vector.self)
    }
  }
}

/// Vectors at a time where the depth is contiguous, number by number elsewhere.
private func packStridedColumns<S: Scalar>(
  _ source: PanelSource<S>, depth: Int, columns: Int, width: Int,
  into panel: UnsafeMutablePointer<S>
) {
  guard source.depthStride == 1 else {
    for k in 0..<depth {
      let (from, to) = (source.start + k * source.depthStride, panel + k * width)
      for column in 0..<columns { to[column] = from[column * source.columnStride] }
      for column in columns..<width { to[column] = 0 }
    }
    return
  }
  let written = (columns + 7) / 8 * 8
  if written < width {
    for k in 0..<depth {
      (panel + k * width + written).fill(0, count: width - written)
    }
  }
  turnOver(
    source.start, rowStride: source.columnStride, rows: columns, columns: depth, into: panel,
    targetStride: width)
}

/// Copies a tile of A so that the rows of one step are neighbours: `target[k, row]`, steps
/// `TileLimits.rows(of:)` apart. Writes up to 16 numbers past the tile.
func packSteps<S: Scalar>(
  _ source: UnsafePointer<S>, rowStride: Int, depthStride: Int, rows: Int, depth: Int,
  into target: UnsafeMutablePointer<S>
) {
  let width = TileLimits.rows(of: S.self)
  if depthStride == 1 {
    turnOver(
      source, rowStride: rowStride, rows: rows, columns: depth, into: target, targetStride: width)
    return
  }
  guard rowStride == 1 else {
    for k in 0..<depth {
      for row in 0..<rows {
        target[k * width + row] = source[row * rowStride + k * depthStride]
      }
    }
    return
  }
  if width > 8 {
    copySteps(SIMD16<S>.self, source, depthStride: depthStride, depth: depth, into: target)
  } else {
    copySteps(SIMD8<S>.self, source, depthStride: depthStride, depth: depth, into: target)
  }
}

/// Each step overwrites what the one before wrote too far.
@inline(__always)
private func copySteps<S: Scalar, V: SIMD>(
  _ type: V.Type, _ source: UnsafePointer<S>, depthStride: Int, depth: Int,
  into target: UnsafeMutablePointer<S>
) where V.Scalar == S {
  for k in 0..<depth {
    let step = UnsafeRawPointer(source + k * depthStride).loadUnaligned(as: V.self)
    UnsafeMutableRawPointer(target + k * TileLimits.rows(of: S.self)).storeBytes(
      of: step, as: V.self)
  }
}
