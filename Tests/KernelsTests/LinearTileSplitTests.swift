import Kernels
import Testing

@Suite struct LinearTileSplitTests {
  @Test(
    "parts are as few and as even as can be",
    arguments: [
      (28, [14, 14]), (26, [13, 13]), (15, [8, 7]), (30, [10, 10, 10]), (14, [14]), (1, [1]),
      (0, []),
    ] as [(Int, [Int])])
  func evenParts(length: Int, parts: [Int]) {
    let split = EvenSplit(length, limit: 14)
    let ranges = (0..<split.partCount).map { split[$0] }
    #expect(ranges.map(\.count) == parts)
    #expect(ranges.flatMap { Array($0) } == Array(0..<length))
  }

  @Test("the last panel is as narrow as its columns allow")
  func panels() {
    let split = PanelSplit(columns: 2 * 32 + 10, of: Float.self, vectors: 2)
    #expect(split.count == 3)
    #expect((0..<3).map(split.validColumns) == [32, 32, 10])
    #expect((0..<3).map(split.vectors) == [2, 2, 1])
    #expect(split.paddedColumns == 80)
  }

  @Test(
    "tiles run along the axis that fills them",
    arguments: [
      (26, 26, 8, TileAxis.x), (1, 26, 8, .y), (1, 1, 40, .image), (2, 2, 14, .image),
      (2, 1, 1, .x), (4, 9, 3, .y),
    ])
  func axis(x: Int, y: Int, images: Int, axis: TileAxis) {
    #expect(TileAxis.best(x: x, y: y, images: images, limit: 14) == axis)
  }
}
