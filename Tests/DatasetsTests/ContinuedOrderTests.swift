import Datasets
import Testing

@Suite("Windows that go on where a row of the batch before ended")
struct ContinuedOrderTests {
  /// Windows, rows of a batch, micro-shards.
  static let cases = [
    (11, 4, 2), (10, 4, 4), (12, 4, 2), (3, 8, 8), (1, 1, 1), (7, 1, 1), (100, 16, 4), (101, 16, 4),
    (29, 6, 3), (16, 16, 8), (997, 24, 8), (5, 24, 8),
  ]

  private func order(_ count: Int, _ rows: Int, _ shards: Int) -> ContinuedOrder {
    let last = count % rows
    return ContinuedOrder(
      count: count, rows: rows, lastBounds: (0...shards).map { $0 * last / shards })
  }

  /// The row of the batch that a position belongs to: the k-th of a micro-shard is its k-th row.
  private func row(_ position: Int, _ count: Int, _ rows: Int, _ shards: Int) -> Int {
    let full = count / rows * rows
    guard position >= full else { return position % rows }
    let (place, last) = (position - full, count % rows)
    let shard = (0..<shards).last { $0 * last / shards <= place } ?? 0
    return shard * (rows / shards) + place - shard * last / shards
  }

  @Test("every window is visited once", arguments: cases)
  func everyWindow(count: Int, rows: Int, shards: Int) {
    let order = order(count, rows, shards)
    #expect((0..<count).map { order.sample(at: $0) }.sorted() == Array(0..<count))
  }

  @Test("each window of a row follows the one before it in the text", arguments: cases)
  func goesOn(count: Int, rows: Int, shards: Int) {
    let order = order(count, rows, shards)
    var last = (0..<rows).map { order.firstSample(ofRow: $0) - 1 }
    for position in 0..<count {
      let row = row(position, count, rows, shards)
      #expect(order.sample(at: position) == last[row] + 1, "position \(position), row \(row)")
      last[row] += 1
    }
    // Rows are as long as each other, but for one window.
    let lengths = (0..<rows).map { order.firstSample(ofRow: $0 + 1) - order.firstSample(ofRow: $0) }
    #expect(lengths.allSatisfy { $0 == count / rows || $0 == count / rows + 1 })
    #expect(order.firstSample(ofRow: rows) == count)
  }

  @Test("it never changes, so that old checkpoints go on exactly")
  func golden() {
    let order = order(11, 4, 2)
    #expect((0..<11).map { order.sample(at: $0) } == [0, 3, 5, 8, 1, 4, 6, 9, 2, 7, 10])
  }
}
