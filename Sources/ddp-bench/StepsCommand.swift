import ArgumentParser
import Benchmarks
import Collectives
import Configuration
import MPICollectives
import Training

/// Whole training steps on all ranks.
struct StepsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "steps",
    abstract: "Samples per second of configs' training loops, reading included.",
    discussion: """
      Start it under mpirun for several ranks. A round trains for about --seconds on all ranks; evaluation, \
      audits and checkpoints are left out. Memory is the most of any rank so far, so put small configs first.
      """)

  @Argument(help: "YAML files, or names of those in configs/.")
  var configs: [String]

  @Option(help: "Seconds of a round.")
  var seconds = 1.0

  @OptionGroup var rounds: RoundOptions
  @OptionGroup var report: ReportOptions

  func validate() throws {
    guard seconds > 0 else { throw ValidationError("--seconds \(seconds) is not above 0") }
  }

  func run() throws {
    let group = try joinRanks()
    runTogether(group) {
      let limits = Stopwatch(seconds: 0.1).limits()
      let rows = try configs.map { name in
        let configuration = try group.agree { try RunConfiguration.load(name) }
        return try StepMeasurement(configuration.spec, over: group)
          .row(name, rounds: rounds.rounds, seconds: seconds, limits: limits)
      }
      guard group.isRoot else { return }
      try report.publish(
        BenchmarkReport("steps", of: "\(group.ranks) ranks", limits: limits, rows: rows))
    }
  }
}
