/// One row per epoch under a heading that is printed once; columns are wide enough for any row, as
/// later rows are not known yet.
package struct EpochTable: Sendable {
  private let label: MetricLabel
  private var hasHeading = false

  package init(_ label: MetricLabel) {
    self.label = label
  }

  /// The row of `record`, the first time with the heading above it.
  package mutating func lines(for record: EpochRecord) -> [String] {
    defer { hasHeading = true }
    return hasHeading ? [row(record)] : [heading, row(record)]
  }

  private var titles: [String] {
    ["epoch", "step", "train loss", "train \(label.name)", "dev loss", "dev \(label.name)", "time"]
  }

  private var widths: [Int] {
    zip(titles, [5, 7, 10, 10, 10, 10, 7]).map { max($0.count, $1) }
  }

  private var heading: String { aligned(titles) }

  private func row(_ record: EpochRecord) -> String {
    let cells =
      ["\(record.epoch)", "\(record.step)"] + cells(record.train) + cells(record.dev)
      + [clockText(record.duration)]
    return aligned(cells) + (record.isBest ? "  best" : "") + terms(record.train.terms)
  }

  /// What the train loss is the sum of, where that is short.
  private func terms(_ terms: [Double]) -> String {
    (2...4).contains(terms.count)
      ? "  train loss = " + terms.map { measureText($0) }.joined(separator: " + ") : ""
  }

  private func cells(_ score: EpochRecord.Score?) -> [String] {
    guard let score else { return ["-", "-"] }
    return [measureText(score.loss), score.metric.map { label.text($0) } ?? "-"]
  }

  private func aligned(_ cells: [String]) -> String {
    zip(cells, widths).map { padded($0, to: $1, .right) }.joined(separator: "  ")
  }
}
