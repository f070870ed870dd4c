// n windows of a sequence, B rows of a batch in V micro-shards, L = n / B full batches, r = n - L B windows in the last one.

/// The order in which the rows of batches walk along a sequence: row i of a batch is the window after row i of the batch
/// before, so that a recurrent layer can go on with the state that it ended with there.
///
/// Each row owns L windows that follow each other; so that all n are trained on, r rows own one more. These are the first
/// of each micro-shard, as many as the last batch gives it: a row stays in its micro-shard, on any number of ranks.
///
/// ```text
/// 11 windows, 4 rows in 2 micro-shards        position  0  1  2  3 | 4  5  6  7 | 8  9 10
/// row 0 owns 0-2, 1: 3-4, 2: 5-7, 3: 8-10     window    0  3  5  8 | 1  4  6  9 | 2  7 10
/// ```
package struct ContinuedOrder: SampleOrder {
  package let count: Int
  /// B.
  package let rows: Int
  /// L.
  private let batches: Int
  /// Where in the last, smaller batch each micro-shard begins, and r; `[V + 1]`.
  private let lastBounds: [Int]

  /// - Parameters:
  ///   - count: n.
  ///   - rows: B, a multiple of V.
  ///   - lastBounds: Of r windows, where each micro-shard of a batch of so many begins, and r.
  package init(count: Int, rows: Int, lastBounds: [Int]) {
    precondition(
      rows > 0 && rows.isMultiple(of: lastBounds.count - 1) && lastBounds.last == count % rows,
      "\(count) windows in \(rows) rows, the last ones \(lastBounds)")
    self.count = count
    self.rows = rows
    batches = count / rows
    self.lastBounds = lastBounds
  }

  /// The window that stands at `position` of the epoch.
  package func sample(at position: Int) -> Int {
    precondition((0..<count).contains(position), "position \(position) of \(count)")
    guard position >= batches * rows else {
      return firstSample(ofRow: position % rows) + position / rows
    }
    let last = position - batches * rows
    // The last of several that begin there: the others are empty.
    let shard = (lastBounds.lastIndex { $0 <= last } ?? 0)
    return firstSample(ofRow: shard * rowsPerShard + last - lastBounds[shard]) + batches
  }

  /// The first window of a row, or n behind the last row.
  package func firstSample(ofRow row: Int) -> Int {
    let shard = min(row / rowsPerShard, lastBounds.count - 2)
    let longer = min(row - shard * rowsPerShard, lastBounds[shard + 1] - lastBounds[shard])
    return row * batches + lastBounds[shard] + longer
  }

  private var rowsPerShard: Int { rows / (lastBounds.count - 1) }
}
