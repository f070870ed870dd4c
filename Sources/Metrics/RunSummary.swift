/// The end of a run in text: the test result on the terminal and `summary.txt` in the run folder.
package struct RunSummary: Equatable, Sendable {
  package var facts: RunFacts
  package var label: MetricLabel
  package var epochs: [EpochRecord]
  package var heals: [HealRecord]
  /// `test`, or the part that was evaluated at the end.
  package var reportTitle: String
  /// From `Predictions.reportLines`; empty when there is no part to report on.
  package var report: [String]
  /// Of the last start.
  package var times: RankTimes
  /// The slowest rank, where that is worth a line.
  package var slownessLine: String?
  /// The SHA-256 of `model.safetensors` in hexadecimal digits.
  package var weightsDigest: String

  package init(
    facts: RunFacts, label: MetricLabel, epochs: [EpochRecord], heals: [HealRecord] = [],
    reportTitle: String, report: [String], times: RankTimes, slownessLine: String? = nil,
    weightsDigest: String
  ) {
    self.facts = facts
    self.label = label
    self.epochs = epochs
    self.heals = heals
    self.reportTitle = reportTitle
    self.report = report
    self.times = times
    self.slownessLine = slownessLine
    self.weightsDigest = weightsDigest
  }

  /// What follows the last epoch on the terminal.
  package var closingLines: [String] {
    let result = report.isEmpty ? [] : ["", reportTitle] + report
    let slowness = slownessLine.map { [$0] } ?? []
    let healed = heals.isEmpty ? [] : [""] + heals.summaryLines
    return result + ["", "time"] + times.lines + slowness + healed + ["", digestLine]
  }

  /// The whole of `summary.txt`.
  package var text: String {
    var table = EpochTable(label)
    var lines = facts.lines
    if !epochs.isEmpty { lines.append("") }
    for record in epochs { lines += table.lines(for: record) }
    return (lines + closingLines).map { $0 + "\n" }.joined()
  }

  private var digestLine: String { "sha256 \(weightsDigest)  model.safetensors" }
}
