import CInstructionSet

// The one micro-kernel: every matrix product and convolution ends here.

/// One loop over the depth of a product, and how far both operands move per turn.
struct DepthLoop: Equatable, Sendable {
  var count: Int
  var aStride: Int
  var bStride: Int

  static var once: DepthLoop { DepthLoop(count: 1, aStride: 0, bStride: 0) }
}

/// The depth of a product as three nested loops: (tap y, tap x, channel) or (image, row, pixel).
struct DepthLoops: Equatable, Sendable {
  var outer: DepthLoop = .once
  var middle: DepthLoop = .once
  var inner: DepthLoop
}

/// Where a tile finds its operands.
///
/// `c[r, j] = start[r, j] + sum over depth of a[r, depth] * b[depth, j]`, in that order, one fused
/// multiply-add after the other: what a row computes never depends on its neighbours.
struct TileOperands<S: Scalar> {
  var a: UnsafePointer<S>
  var aRows: RowStrides
  /// Rows of `b` are contiguous and read in full vectors.
  var b: UnsafePointer<S>
  var depth: DepthLoops
  /// Zeros or a bias (stride 0), or the previous value of `c`.
  var start: UnsafePointer<S>
  var startRowStride: Int
  var c: UnsafeMutablePointer<S>
  var cRowStride: Int
  /// What later tiles read, fetched one step at a time while this one computes.
  var ahead = ReadAhead<S>()
}

/// Cache lines to ask for at every step of a product along rows: `stride` apart.
struct ReadAhead<S: Scalar> {
  var first: UnsafePointer<S>?
  var stride = 0
}

/// How the numbers of `a` lie, and how they meet a panel row of `b`.
///
/// One stride is always 1, which leaves the processor one address to compute per row or per step.
enum TileOperation {
  /// One number of `a` times a panel row; the inner loop's numbers of `a` are neighbours.
  case productsAlongDepth
  /// One number of `a` times a panel row; the rows' numbers of `a` are neighbours.
  case productsAlongRows
  /// Panel rows of `a` times panel rows of `b`, lane by lane.
  case laneProducts
}

@inline(never)
func multiplyAlongDepth<A: Accumulators>(_ rows: A.Type, _ operands: TileOperands<A.Number>)
where A.Number == A.Row.Number {
  let (outer, middle, inner) = (operands.depth.outer, operands.depth.middle, operands.depth.inner)
  let strides = operands.aRows
  let fours = A.Row.unrollsDepth ? inner.count >> 2 : 0
  let rest = inner.count - 4 * fours
  var tile = A(loading: operands.start, rowStride: operands.startRowStride)
  var (aOuter, bOuter) = (operands.a, operands.b)
  for _ in 0..<outer.count {
    var (aMiddle, bMiddle) = (aOuter, bOuter)
    for _ in 0..<middle.count {
      var (a, b) = (aMiddle, bMiddle)
      for _ in 0..<fours {
        tile.addFourProducts(
          a, strides, A.Row(at: b), A.Row(at: b + inner.bStride),
          A.Row(at: b + 2 * inner.bStride), A.Row(at: b + 3 * inner.bStride))
        a += 4
        b += 4 * inner.bStride
      }
      for _ in 0..<rest {
        tile.addProducts(a, strides, A.Row(at: b))
        a += 1
        b += inner.bStride
      }
      aMiddle += middle.aStride
      bMiddle += middle.bStride
    }
    aOuter += outer.aStride
    bOuter += outer.bStride
  }
  tile.store(to: operands.c, rowStride: operands.cRowStride)
}

@inline(never)
func multiplyAlongRows<A: Accumulators>(_ rows: A.Type, _ operands: TileOperands<A.Number>)
where A.Number == A.Row.Number {
  let (outer, middle, inner) = (operands.depth.outer, operands.depth.middle, operands.depth.inner)
  var tile = A(loading: operands.start, rowStride: operands.startRowStride)
  var (aOuter, bOuter) = (operands.a, operands.b)
  var ahead = operands.ahead.first ?? operands.b
  for _ in 0..<outer.count {
    var (aMiddle, bMiddle) = (aOuter, bOuter)
    for _ in 0..<middle.count {
      var (a, b) = (aMiddle, bMiddle)
      for _ in 0..<inner.count {
        if A.Row.readsAhead {
          cpu_prefetch_read(ahead)
          ahead += operands.ahead.stride
        }
        tile.addProducts(a, RowStrides(1), A.Row(at: b))
        a += inner.aStride
        b += inner.bStride
      }
      aMiddle += middle.aStride
      bMiddle += middle.bStride
    }
    aOuter += outer.aStride
    bOuter += outer.bStride
  }
  tile.store(to: operands.c, rowStride: operands.cRowStride)
}

@inline(never)
func multiplyLanes<A: Accumulators>(_ rows: A.Type, _ operands: TileOperands<A.Number>)
where A.Number == A.Row.Number {
  let (outer, middle, inner) = (operands.depth.outer, operands.depth.middle, operands.depth.inner)
  let strides = operands.aRows
  var tile = A(loading: operands.start, rowStride: operands.startRowStride)
  var (aOuter, bOuter) = (operands.a, operands.b)
  for _ in 0..<outer.count {
    var (aMiddle, bMiddle) = (aOuter, bOuter)
    for _ in 0..<middle.count {
      var (a, b) = (aMiddle, bMiddle)
      for _ in 0..<inner.count {
        tile.addLaneProducts(a, strides, A.Row(at: b))
        a += inner.aStride
        b += inner.bStride
      }
      aMiddle += middle.aStride
      bMiddle += middle.bStride
    }
    aOuter += outer.aStride
    bOuter += outer.bStride
  }
  tile.store(to: operands.c, rowStride: operands.cRowStride)
}
