import Foundation
import Testing

/// Runs that are killed, wherever they are.
@Suite("Kills at any instant", .serialized)
struct KillTests {
  private enum Target: CaseIterable {
    case rank, launcher, everybody
  }

  /// 200 with `DDP_FULL_TESTS`, else 3.
  private static let count =
    ProcessInfo.processInfo.environment["DDP_FULL_TESTS"] == "1" ? 200 : 3

  private let arguments = [
    "table.yaml", "training.epochs=1000000", "checkpoint.every_seconds=0.02", "--progress", "none",
  ]

  @Test("many, over one run that starts again each time, lead to the weights of an unbroken run")
  func manyKills() throws {
    let command = try Command.table()
    defer { command.remove() }
    let local = Command.repository.appendingPathComponent("launch/local").path
    let run = try command.start(
      by: [local, "-n", "3", "--restarts", "100000"],
      ["DDP_TRAIN": Command.program.path], program: nil, arguments)
    var generator = SystemRandomNumberGenerator()
    for attempt in 0..<Self.count {
      Command.wait(for: "three ranks") { (try? command.ranks().count) == 3 }
      // The start of a rank takes about a third of this.
      Thread.sleep(forTimeInterval: Double.random(in: 0..<0.7, using: &generator))
      try strike(Target.allCases[attempt % 3], of: command, using: &generator)
      Command.wait(for: "end of what was struck") { (try? command.ranks().count) != 3 }
    }
    #expect(run.isRunning)
    Command.wait(for: "step and handlers") {
      guard (try? command.newestStep()) ?? nil != nil, let ranks = try? command.ranks() else {
        return false
      }
      return ranks.count == 3 && ranks.allSatisfy { Command.handles(SIGUSR1, process: $0) }
    }
    kill(run.processIdentifier, SIGUSR1)
    let result = try command.result(of: run)
    #expect(result.status == 75, "\(result.errors)")
    let restarts = result.errors.split(separator: "\n").filter { $0.contains(": restart ") }.count
    #expect(restarts == Self.count)

    let rest = arguments + ["training.max_steps=\(try #require(try command.newestStep()) + 20)"]
    #expect(try command.run(ranks: 2, rest).status == 0)
    #expect(try command.run(rest + ["output.folder=whole"]).status == 0)
    for file in ["model.safetensors", "predictions.csv"] {
      #expect(try command.bytes("runs/table/\(file)") == command.bytes("whole/\(file)"))
    }
  }

  private func strike(
    _ target: Target, of command: Command, using generator: inout some RandomNumberGenerator
  ) throws {
    var struck: [Int32] = []
    if target != .launcher { struck += try command.ranks() }
    if target == .rank { struck = Array(struck.shuffled(using: &generator).prefix(1)) }
    if target != .rank { struck += try command.launchers() }
    for process in struck { kill(process, SIGKILL) }
  }

  private static let tracer = "/usr/bin/strace"

  /// Dies on entering the save's 1st, 2nd, ... call that changes a file or folder.
  @Test(
    "at every single write of a save leave a checkpoint that leads to the same weights",
    .enabled(if: FileManager.default.fileExists(atPath: tracer), "needs the package strace"))
  func everyWrite() throws {
    let command = try Command.table()
    defer { command.remove() }
    func arguments(to step: Int, _ folder: String) -> [String] {
      [
        "table.yaml", "--progress", "none", "evaluation.every_epochs=100", "checkpoint.keep=1",
        "training.max_steps=\(step)", "output.folder=\(folder)",
      ]
    }
    #expect(try command.run(arguments(to: 20, "whole")).status == 0)
    let whole = try command.bytes("whole/model.safetensors")
    #expect(try command.run(arguments(to: 5, "begun")).status == 0)

    let names = ["", "/model.safetensors", "/state.safetensors", "/checkpoint.json", "/SHA256SUMS"]
    let paths =
      ["step-00000005", "step-00000020", ".partial-step-00000020", ".partial-step-00000005"]
      .flatMap { folder in names.map { "run/checkpoints/\(folder)\($0)" } } + ["run/checkpoints"]
    // Names in calls are relative, those of open files whole.
    let here = command.folder.resolvingSymlinksInPath().path
    /// Whether the run was killed before its `number`th call.
    func strike(_ call: String, _ number: Int) throws -> Bool {
      try? FileManager.default.removeItem(atPath: command.path("run"))
      try FileManager.default.copyItem(atPath: command.path("begun"), toPath: command.path("run"))
      let tracer =
        [Self.tracer, "-f", "-o", "/dev/null", "-e", "trace=\(call)"]
        + ["-e", "inject=\(call):signal=KILL:when=\(number)"]
        + (paths + paths.map { "\(here)/\($0)" }).flatMap { ["-P", $0] }
      let struck = try command.result(of: command.start(by: tracer, [:], arguments(to: 20, "run")))
      let again = try command.run(arguments(to: 20, "run"))
      #expect(again.status == 0 && again.errors == "", "\(call) \(number): \(again.errors)")
      #expect(again.output.contains("resuming at step "), "\(call) \(number)")
      #expect(try command.bytes("run/model.safetensors") == whole, "\(call) \(number)")
      return struck.status != 0
    }
    var kills: [String: Int] = [:]
    for call in ["write", "fsync", "rename", "mkdir", "unlink", "rmdir"] {
      kills[call] = try (1...).first { try !strike(call, $0) }.map { $0 - 1 }
    }
    // Four files and three folders are synced, four files of the old checkpoint go.
    #expect(kills["fsync"] ?? 0 >= 7 && kills["unlink"] ?? 0 >= 4, "\(kills)")
    #expect(kills.values.allSatisfy { $0 > 0 }, "\(kills)")
  }
}

extension Command {
  /// The step of the newest checkpoint of the table's run.
  func newestStep() throws -> Int? {
    try FileManager.default.contentsOfDirectory(atPath: path("runs/table/checkpoints"))
      .compactMap { Int($0.dropFirst("step-".count)) }.max()
  }
}
