import Kernels
import Storage
import Testing

@Suite("Products of several micro-shards")
struct LinearTreeProductTests {
  struct Case: Sendable {
    var size: (rows: Int, columns: Int)
    var depths: [Int]
    /// Which parts are computed together.
    var passes: [Range<Int>]
  }

  private static let cases = [
    Case(size: (1, 1), depths: [3, 2, 1, 1, 4], passes: [0..<5]),
    Case(size: (29, 33), depths: [16, 16, 16, 16, 16], passes: [0..<5]),
    Case(size: (29, 33), depths: [16, 16, 16, 16, 16], passes: [0..<2, 2..<5]),
    Case(size: (70, 64), depths: [5, 0, 9, 1, 3], passes: [0..<1, 1..<4, 4..<5]),
    Case(size: (512, 300), depths: [100, 90, 80, 70, 60], passes: [0..<3, 3..<5]),
    Case(size: (1030, 260), depths: [4, 4, 4, 4, 4], passes: [0..<5]),
    Case(size: (6, 2100), depths: [64, 64, 64, 64, 64], passes: [0..<5]),
  ]

  /// Five parts in the tree `((0 + 1) + (2 + 3)) + 4`.
  private static let slots = [0, 1, 1, 2, 1]
  private static let merges = [0, 1, 0, 2, 1]

  @Test("the bits of products one by one and sums of whole results", arguments: cases)
  func sameBits(_ test: Case) {
    check(test, of: Float.self)
    check(test, of: Double.self)
  }

  private func check<S: Scalar>(_ test: Case, of type: S.Type) {
    let (rows, columns) = test.size
    let count = rows * columns
    let total = test.depths.reduce(0, +)
    let a = FencedBlock<S>(samples(total * rows, seed: 1))
    let b = FencedBlock<S>(samples(total * columns, seed: 2))
    let starts = test.depths.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    let whole = MatrixShape(rows: rows, columns: columns, depth: total)
    let scratch = AlignedMemory<S>(count: treeProductScratchCount(whole, of: S.self))

    let expected = (0..<3).map { _ in AlignedMemory<S>(count: count) }
    for (part, depth) in test.depths.enumerated() {
      let slot = Self.slots[part]
      matrixProduct(
        MatrixShape(rows: rows, columns: columns, depth: depth),
        a: a.block[starts[part] * rows..<starts[part + 1] * rows], aRowStride: 1,
        aDepthStride: rows,
        b: b.block[starts[part] * columns..<starts[part + 1] * columns], bDepthStride: columns,
        bColumnStride: 1, into: expected[slot].block, cRowStride: columns, scratch: scratch.block)
      for merge in 0..<Self.merges[part] {
        accumulate(expected[slot - merge].block, into: expected[slot - merge - 1].block)
      }
    }

    let found = FencedBlock<S>(count: 3 * count + 10)
    for parts in test.passes {
      let depth = starts[parts.lowerBound]..<starts[parts.upperBound]
      treeProduct(
        MatrixShape(rows: rows, columns: columns, depth: depth.count),
        order: MergeOrder(slots: Self.slots, merges: Self.merges, parts: parts),
        bounds: starts[parts.lowerBound...parts.upperBound].map { $0 - depth.lowerBound },
        a: a.block[depth.lowerBound * rows..<depth.upperBound * rows], aRowStride: 1,
        aDepthStride: rows,
        b: b.block[depth.lowerBound * columns..<depth.upperBound * columns], bDepthStride: columns,
        into: found.block, slotStride: count + 3, scratch: scratch.block)
    }
    let same = found.block.prefix(count).array == expected[0].block.array
    #expect(same, "\(test)")
    #expect(found.fencesStand)
    // Between the slots.
    for gap in [count, 2 * count + 3] {
      #expect(found.block[gap..<gap + 3].array.allSatisfy { $0 == 7 })
    }
    withExtendedLifetime((a, b, scratch, expected, found)) {}
  }
}
