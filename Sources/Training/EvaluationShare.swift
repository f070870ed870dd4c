import DataParallel
import Datasets

/// What one rank computes of a part, pass by pass.
package struct EvaluationShare {
  /// The samples of this rank, which follow each other.
  package let samples: Range<Int>
  package let passCount: Int
  private let capacity: Int
  /// nil: the samples are taken as they lie.
  private let order: ContinuedOrder?
  /// Of the order, those that this rank walks along.
  private let rows: Range<Int>

  /// - Parameters:
  ///   - count: Samples of the part.
  ///   - unit: Samples that stay together.
  ///   - capacity: Samples of a pass.
  package init(
    ofRank rank: Int, of ranks: Int, samples count: Int, unit: Int = 1,
    order: ContinuedOrder? = nil, capacity: Int
  ) {
    self.capacity = capacity
    self.order = order
    guard let order else {
      let units = ShardRange.samples(
        ofShard: rank, of: ranks, samples: (count + unit - 1) / unit)
      samples = min(units.lowerBound * unit, count)..<min(units.upperBound * unit, count)
      rows = 0..<0
      passCount = (samples.count + capacity - 1) / capacity
      return
    }
    rows = ShardRange.samples(ofShard: rank, of: ranks, samples: order.rows)
    samples = order.firstSample(ofRow: rows.lowerBound)..<order.firstSample(ofRow: rows.upperBound)
    let groups = (rows.count + capacity - 1) / capacity
    passCount = groups * Self.steps(order)
  }

  /// The windows of the longest rows.
  private static func steps(_ order: ContinuedOrder) -> Int {
    (order.count + order.rows - 1) / order.rows
  }

  /// The places in the part's order that a pass takes; empty where rows are shorter than others.
  package func positions(ofPass pass: Int) -> Range<Int> {
    guard let order else {
      let first = min(samples.lowerBound + pass * capacity, samples.upperBound)
      return first..<min(first + capacity, samples.upperBound)
    }
    let (number, step) = pass.quotientAndRemainder(dividingBy: Self.steps(order))
    let first = min(rows.lowerBound + number * capacity, rows.upperBound)
    let group = first..<min(first + capacity, rows.upperBound)
    let start = step * order.rows
    return min(start + group.lowerBound, order.count)..<min(start + group.upperBound, order.count)
  }

  /// Whether rows begin with a pass, which have nothing before them.
  package func begins(_ pass: Int) -> Bool {
    order.map { pass.isMultiple(of: Self.steps($0)) } ?? true
  }

  /// Where the sample at a place of the order stands among those of this rank.
  package func index(ofPosition position: Int) -> Int {
    (order?.sample(at: position) ?? position) - samples.lowerBound
  }
}
