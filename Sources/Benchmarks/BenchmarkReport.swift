import Foundation
import Metrics

/// One line of a report. Its fields are the JSON's, in snake_case; its cells are the table's.
package protocol BenchmarkRow: Encodable, Sendable {
  /// The first column is words, the others are numbers.
  static var headings: [String] { get }
  var cells: [String] { get }
}

/// What one benchmark found, for people and for comparisons between builds.
package struct BenchmarkReport<Row: BenchmarkRow>: Encodable, Sendable {
  /// The subcommand of `ddp-bench`.
  package let benchmark: String
  /// What was measured, such as a config, in a line.
  package let subject: String
  package let limits: MachineLimits
  package let rows: [Row]

  package init(_ benchmark: String, of subject: String, limits: MachineLimits, rows: [Row]) {
    self.benchmark = benchmark
    self.subject = subject
    self.limits = limits
    self.rows = rows
  }

  /// What was measured, the machine's limits, and the table.
  package var lines: [String] {
    var table = TextTable([.left] + Row.headings.dropFirst().map { _ in .right })
    table.append(Row.headings)
    for row in rows { table.append(row.cells) }
    return ["\(benchmark): \(subject)", limits.line] + table.lines
  }

  /// One object with a list of `rows`; the same report gives the same bytes.
  package var json: String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // What is not finite has no word in JSON.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    guard let data = try? encoder.encode(self) else {
      preconditionFailure("a report of numbers and words cannot be written as JSON")
    }
    return String(decoding: data, as: UTF8.self) + "\n"
  }
}
