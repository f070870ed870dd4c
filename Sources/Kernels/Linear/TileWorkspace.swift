import Storage

/// What every product needs besides its operands, at the head of its scratch: a row of zeros to start
/// from, and a tile for results that are narrower than their vectors.
struct TileWorkspace<S: Scalar> {
  let zeros: UnsafePointer<S>
  let edge: UnsafeMutablePointer<S>
  /// What is left of the scratch.
  let rest: UnsafeMutablePointer<S>

  static var elementCount: Int {
    let width = 2 * S.Vector.scalarCount
    return width + width * TileLimits.mostRows
  }

  init(_ scratch: Block<S>) {
    let width = 2 * S.Vector.scalarCount
    scratch.base.fill(0, count: width)
    zeros = UnsafePointer(scratch.base)
    edge = scratch.base + width
    rest = scratch.base + Self.elementCount
  }

  /// Computes a tile and stores its first `columns` columns, nothing beyond them.
  @inline(__always)
  func compute(
    _ operation: TileOperation, rows: Int, columns: Int, vectors: Int, _ operands: TileOperands<S>
  ) {
    let width = vectors * S.Vector.scalarCount
    if columns == width {
      computeTile(operation, rows: rows, vectors: vectors, operands)
    } else {
      var narrow = operands
      narrow.c = edge
      narrow.cRowStride = width
      computeTile(operation, rows: rows, vectors: vectors, narrow)
      copyRows(
        rows, columns: columns, from: edge, rowStride: width, to: operands.c,
        rowStride: operands.cRowStride)
    }
  }
}

/// Copies rows of at most 32 numbers by halving steps, so that short rows cost a few instructions.
@inline(never)
func copyRows<S: Scalar>(
  _ rows: Int, columns: Int, from source: UnsafePointer<S>, rowStride sourceStride: Int,
  to target: UnsafeMutablePointer<S>, rowStride targetStride: Int
) {
  for row in 0..<rows {
    var from = UnsafeRawPointer(source + row * sourceStride)
    var to = UnsafeMutableRawPointer(target + row * targetStride)
    if columns & 32 != 0 { move(SIMD32<S>.self, &from, &to) }
    if columns & 16 != 0 { move(SIMD16<S>.self, &from, &to) }
    if columns & 8 != 0 { move(SIMD8<S>.self, &from, &to) }
    if columns & 4 != 0 { move(SIMD4<S>.self, &from, &to) }
    if columns & 2 != 0 { move(SIMD2<S>.self, &from, &to) }
    if columns & 1 != 0 { move(S.self, &from, &to) }
  }
}

@inline(__always)
private func move<V>(
  _ type: V.Type, _ from: inout UnsafeRawPointer, _ to: inout UnsafeMutableRawPointer
) {
  to.storeBytes(of: from.loadUnaligned(as: V.self), as: V.self)
  from += MemoryLayout<V>.size
  to += MemoryLayout<V>.size
}
