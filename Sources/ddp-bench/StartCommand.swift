import ArgumentParser
import Benchmarks
import Collectives
import Diagnostics
import Foundation
import Storage

/// From the launch of a job to the end of its first step.
struct StartCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "start",
    abstract: "Seconds from the launch of ddp-train to the end of its first step.",
    discussion: """
      Runs the ddp-train beside this program for one step, first once to prepare the data, then for the \
      rounds, and waits for the line of the first step. With --launcher "launch/ranks 2" the launch of \
      the ranks is part of it.
      """)

  @OptionGroup var config: ConfigOptions

  @Option(help: "Words that start the program, such as \"launch/ranks 2\".")
  var launcher = ""

  @OptionGroup var rounds: RoundOptions
  @OptionGroup var report: ReportOptions

  func run() throws {
    runTogether(SoloCollectives()) {
      let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("ddp-bench-\(UUID().uuidString)").path
      defer { try? FileManager.default.removeItem(atPath: folder) }
      _ = try firstStep(in: folder)
      let times = try (0..<rounds.rounds).map { _ in try firstStep(in: folder) }
      try report.publish(
        BenchmarkReport(
          "start", of: "process start to first step, data prepared",
          limits: Stopwatch(seconds: 0.1).limits(),
          rows: [StartRow(config: config.config, launcher: launcher, rounds: times)]))
    }
  }

  private func firstStep(in folder: String) throws -> Double {
    let program = URL(fileURLWithPath: CommandLine.arguments[0])
      .resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent("ddp-train")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      launcher.split(separator: " ").map(String.init)
      + [program.path, config.config] + config.overrides
      + ["training.max_steps=1", "output.folder=\(folder)", "--fresh", "--progress", "lines"]
    let pipe = Pipe()
    process.standardOutput = pipe
    let start = ContinuousClock.now
    try process.run()
    let time = readFirstStep(pipe.fileHandleForReading, since: start)
    process.waitUntilExit()
    guard let time, process.terminationStatus == 0 else {
      throw Diagnostic(
        place: program.path,
        problem: "it ended with code \(process.terminationStatus) and "
          + (time == nil ? "no first step" : "a first step"),
        expected: "a run of one step", remedy: "run it by hand: \(program.path) \(config.config)")
    }
    return time
  }

  /// Reads all that the program says; returns when it said that a step is done.
  private func readFirstStep(_ output: FileHandle, since start: ContinuousClock.Instant) -> Double?
  {
    var text = ""
    var found: Double?
    while true {
      let piece = output.availableData
      if piece.isEmpty { return found }
      text += String(decoding: piece, as: UTF8.self)
      if found == nil, text.contains("  step 1/") {
        found = (ContinuousClock.now - start) / .seconds(1)
      }
    }
  }
}
