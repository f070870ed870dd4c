import ArgumentParser
import Benchmarks
import Checkpoints
import Collectives
import Configuration
import Foundation
import Storage
import Training

/// Saving and loading the state of a config.
struct CheckpointCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint",
    abstract: "MB/s of saving and loading a config's state, beside disk, memory and hash.",
    discussion: """
      The copy is what training waits for; the save goes on beside it. Limits, for the same bytes in the same \
      folder: one copy in memory, one plain file written and synced, one SHA-256.
      """)

  @OptionGroup var config: ConfigOptions

  @Option(help: "An existing folder to write below; the system's for temporary files if left out.")
  var folder: String?

  @OptionGroup var rounds: RoundOptions
  @OptionGroup var report: ReportOptions

  func run() throws {
    runTogether(SoloCollectives()) {
      let spec = try config.load().spec
      let replica = Replica(spec, plans: try ModelPlans(spec))
      let base = folder ?? FileManager.default.temporaryDirectory.path
      let place = Folder("\(base)/ddp-bench-\(UUID().uuidString)")
      try place.create()
      defer { try? place.remove() }
      let measurement = CheckpointMeasurement(replica, in: place, seed: spec.seed)
      try report.publish(
        BenchmarkReport(
          "checkpoint", of: config.config, limits: Stopwatch(seconds: 0.1).limits(),
          rows: try measurement.rows(rounds: rounds.rounds)))
    }
  }
}
