import ArgumentParser
import Benchmarks
import Metrics
import Storage

/// `--json FILE`.
struct ReportOptions: ParsableArguments {
  @Option(help: "Write the figures to this file too.")
  var json: String?

  /// Prints the table, and writes the JSON where that is asked for.
  func publish<Row>(_ report: BenchmarkReport<Row>) throws {
    writeToStandardOutput(report.lines.map { $0 + "\n" }.joined())
    if let json { try AtomicFile.write(report.json, to: json) }
  }
}

/// `--rounds N`, of which the median counts.
struct RoundOptions: ParsableArguments {
  @Option(help: "Rounds; their median counts.")
  var rounds = 5

  func validate() throws {
    guard rounds > 0 else { throw ValidationError("--rounds \(rounds) is not above 0") }
  }
}
