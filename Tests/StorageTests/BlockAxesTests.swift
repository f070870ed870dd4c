import Storage
import Testing

@Suite("Swapped axes")
struct BlockAxesTests {
  @Test(
    "rows of a tensor come out of memory with its outer axes swapped",
    arguments: [[1, 1, 1], [17, 1, 33], [16, 3, 9], [32, 16, 25], [5, 2, 0]])
  func rows(shape: [Int]) {
    let (a, b, c) = (shape[0], shape[1], shape[2])
    let source = AlignedMemory<Int32>(copying: (0..<a * b * c).map { Int32($0) })
    for rows in [0..<a, a / 3..<a, 0..<0] {
      let target = AlignedMemory<Int32>(count: rows.count * b * c)
      target.block.copy(rows: rows, swappingAxesOf: source.block, shape: (a, b, c))
      let expected = rows.flatMap { i in
        (0..<b).flatMap { j in (0..<c).map { k in Int32((k * b + j) * a + i) } }
      }
      #expect(target.array == expected)
    }
    withExtendedLifetime(source) {}
  }
}
