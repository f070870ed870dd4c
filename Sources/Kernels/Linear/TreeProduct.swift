import CInstructionSet
import Storage

// The gradient by weights of several micro-shards at once, added up in the order of a tree while it is in L1.

/// How sums of parts are added: the part `p` comes to slot `slots[p]`; then, `merges[p]` times, the slot on top is added
/// into the one below.
package struct MergeOrder {
  package var slots: [Int]
  package var merges: [Int]
  /// Which of the parts are computed; earlier ones lie in the slots below.
  package var parts: Range<Int>

  package init(slots: [Int], merges: [Int], parts: Range<Int>) {
    self.slots = slots
    self.merges = merges
    self.parts = parts
  }
}

/// `C[m, n] = sum over k of A[m, k] * B[k, n]`, the depth cut into parts whose sums are added in the given order.
///
/// The bits are those of one `matrixProduct` for each part and additions of whole results, but only what is left in the
/// slots at the end is written to memory.
///
/// - Parameters:
///   - shape: The depth of all parts together, at most `treeProductDepthLimit`.
///   - bounds: Where in the depth the parts begin, and where the last one ends; some may be empty.
///   - c: `[M, N]` in slot 0; the other slots lie `slotStride` elements apart, in the same memory.
///   - scratch: At least `treeProductScratchCount` elements.
/// - Complexity: M·N·K multiply-adds, no allocation.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func treeProduct<S: Scalar>(
  _ shape: MatrixShape, order: MergeOrder, bounds: [Int],
  a: Block<S>, aRowStride: Int, aDepthStride: Int, b: Block<S>, bDepthStride: Int,
  into c: Block<S>, slotStride: Int, scratch: Block<S>
) {
  precondition(shape.depth <= treeProductDepthLimit, "\(shape) in one piece")
  precondition(bounds.count > order.parts.count, "\(bounds.count) bounds for \(order.parts)")
  precondition(
    scratch.count >= treeProductScratchCount(shape, of: S.self),
    "scratch of \(scratch.count) elements for \(shape)")
  guard shape.rows > 0, shape.columns > 0 else { return }
  let right = PanelSource(start: b.base, depthStride: bDepthStride, columnStride: 1)
  let left = PanelSource(start: a.base, depthStride: aDepthStride, columnStride: aRowStride)
  let buffers = scratch.base + matrixProductScratchCount(shape, of: S.self)
  MatrixProduct<S>(
    a: a.base, aRowStride: aRowStride, aDepthStride: aDepthStride, b: right, bias: nil, c: c.base,
    cRowStride: shape.columns, accumulates: false, workspace: TileWorkspace(scratch),
    shape: shape, blocking: MatrixBlocking(shape, of: S.self, streams: false),
    access: MatrixAccess(shape, left: left, right: right),
    tree: TreeTargets(
      order: order, bounds: bounds, slot0: c.base, slotStride: slotStride, buffers: buffers)
  ).run()
}

/// The deepest product that is packed in one piece.
package var treeProductDepthLimit: Int { MatrixBlocking.depthLimit }

/// The scratch of `treeProduct`, in elements.
package func treeProductScratchCount<S: Scalar>(_ shape: MatrixShape, of type: S.Type) -> Int {
  matrixProductScratchCount(shape, of: type)
    + TreeTargets<S>.mostSlots * TreeTargets<S>.bufferCount
}

/// Where a tile's numbers go.
struct TileOutputs {
  /// From the start of C.
  let offset: Int
  let rowStride: Int
  let rows: Int
  /// Columns with padding.
  let width: Int
  /// Those that are not padding.
  let columns: Int
}

/// The slots of a tree of products, for one tile after another.
struct TreeTargets<S: Scalar> {
  let order: MergeOrder
  let bounds: [Int]
  let slot0: UnsafeMutablePointer<S>
  let slotStride: Int
  /// A tile for each slot.
  let buffers: UnsafeMutablePointer<S>

  /// Slots of 2^24 parts and more than any run has.
  static var mostSlots: Int { 25 }
  static var bufferCount: Int { 2 * S.Vector.scalarCount * TileLimits.mostRows }

  func depth(ofPart part: Int) -> Range<Int> {
    let index = part - order.parts.lowerBound
    return bounds[index]..<bounds[index + 1]
  }

  /// Computes the parts of a tile and adds them up.
  @inline(__always)
  func add(
    _ tile: TileOutputs, _ compute: (_ part: Int, _ buffer: UnsafeMutablePointer<S>) -> Void
  ) {
    // Slots below lie in memory, where passes before left them; those from here on in buffers.
    var stored = order.slots[order.parts.lowerBound]
    var top = stored - 1
    for part in order.parts {
      top = order.slots[part]
      compute(part, buffer(top))
      for _ in 0..<order.merges[part] {
        merge(top, tile, stored: stored)
        stored = min(stored, top)
        top -= 1
      }
    }
    guard top >= stored else { return }
    for slot in stored...top {
      copyRows(
        tile.rows, columns: tile.columns, from: buffer(slot), rowStride: tile.width,
        to: memory(slot, tile), rowStride: tile.rowStride)
    }
  }

  /// Adds the slot `top` into the one below.
  @inline(__always)
  private func merge(_ top: Int, _ tile: TileOutputs, stored: Int) {
    if top > stored {
      let (source, target) = (buffer(top), buffer(top - 1))
      for index in stride(from: 0, to: tile.rows * tile.width, by: S.Vector.scalarCount) {
        target.setVector(target.vector(at: index) + source.vector(at: index), at: index)
      }
    } else {
      let isBuffer = top == stored
      addRows(
        tile, from: isBuffer ? UnsafePointer(buffer(top)) : UnsafePointer(memory(top, tile)),
        rowStride: isBuffer ? tile.width : tile.rowStride, into: memory(top - 1, tile))
    }
  }

  private func addRows(
    _ tile: TileOutputs, from source: UnsafePointer<S>, rowStride: Int,
    into target: UnsafeMutablePointer<S>
  ) {
    for row in 0..<tile.rows {
      let (from, to) = (source + row * rowStride, target + row * tile.rowStride)
      for column in 0..<tile.columns { to[column] += from[column] }
    }
  }

  private func buffer(_ slot: Int) -> UnsafeMutablePointer<S> { buffers + slot * Self.bufferCount }

  private func memory(_ slot: Int, _ tile: TileOutputs) -> UnsafeMutablePointer<S> {
    slot0 + slot * slotStride + tile.offset
  }
}
