import Foundation
import Testing

/// The contract: the same weights and predictions on any number of ranks, in one go or in pieces.
@Suite("The same bits", .serialized)
struct SameBitsTests {
  /// Jobs that between them use convolution, batch norm, dropout, Adam, warm-up, residuals, several
  /// yes/no outputs, momentum, clipping, averages and a smaller last batch.
  enum Job: String, CaseIterable {
    case images, residual, table

    var arguments: [String] {
      switch self {
      case .images:
        [
          "fashion-mnist", "training.batch=64", "training.shards=8", "training.epochs=1",
          "training.max_steps=10", "evaluation.batch=50", "data.dev={count: 300, stratified: true}",
        ]
      case .residual:
        [
          "residual", "training.batch=32", "training.shards=8", "training.epochs=1",
          "training.max_steps=6", "training.clip_norm=1", "training.ema_decay=0.9",
        ]
      case .table: ["table.yaml"]
      }
    }
  }

  /// 203 samples in batches of 24: the ninth batch has eleven.
  static let table = """
    name: table
    data:
      format: csv
      train: table.csv
      targets: [warm, round, heavy]
      categorical: [colour]
      target: multi_hot
      normalize: standardize
      dev: {count: 37}
      test: {fraction: 0.15}
    model:
      input: [5]
      layers:
        - dense: 16
        - batch_norm
        - relu
        - dropout: 0.2
        - dense: 3
    loss: sigmoid_cross_entropy
    optimizer: {kind: momentum, learning_rate: 0.1, nesterov: true, form: classical}
    schedule: {kind: cosine, warmup_steps: 5}
    training: {epochs: 3, batch: 24, shards: 8}
    """

  static func tableRows() -> String {
    var text = "size,weight,colour,warm,round,heavy\n"
    for index in 0..<276 {
      let size = sin(Double(index) * 0.7) * 3
      let weight = cos(Double(index) * 0.3) + size / 4
      let colour = ["red", "green", "blue"][index % 3]
      text += "\(size),\(weight),\(colour),\(index % 3 == 0 ? 1 : 0),\(size > 0 ? 1 : 0),\(weight > 0.5 ? 1 : 0)\n"
    }
    return text
  }

  private func makeCommand() throws -> Command {
    let command = try Command()
    try command.write(Self.table, to: "table.yaml")
    try command.write(Self.tableRows(), to: "table.csv")
    return command
  }

  struct Outcome: Equatable {
    var weights: Data
    var predictions: Data
  }

  private func train(
    _ command: Command, _ job: Job, ranks: Int?, into folder: String, _ more: [String] = []
  ) throws -> Outcome {
    let result = try command.run(
      ranks: ranks, job.arguments + ["output.folder=\(folder)", "--progress", "none"] + more)
    #expect(result.status == 0, "\(job) on \(ranks ?? 1) ranks: \(result.errors)")
    return Outcome(
      weights: try command.bytes("\(folder)/model.safetensors"),
      predictions: try command.bytes("\(folder)/predictions.csv"))
  }

  @Test(
    "on any number of ranks", .enabled(if: hasFashionMNIST), arguments: Job.allCases)
  func anyRankCount(job: Job) throws {
    let command = try makeCommand()
    defer { command.remove() }
    let alone = try train(command, job, ranks: nil, into: "alone")
    for ranks in [1, 2, 3, 4, 5, 8] {
      let together = try train(command, job, ranks: ranks, into: "ranks-\(ranks)")
      #expect(together == alone, "\(ranks) ranks")
    }
  }

  @Test("cut in the middle of an epoch and continued on other numbers of ranks",
    .enabled(if: hasFashionMNIST), arguments: [Job.images, .table])
  func continued(job: Job) throws {
    let command = try makeCommand()
    defer { command.remove() }
    let whole = try train(command, job, ranks: nil, into: "whole")
    _ = try train(command, job, ranks: 4, into: "parts", ["training.max_steps=3"])
    _ = try train(command, job, ranks: 2, into: "parts", ["training.max_steps=7"])
    let parts = try train(command, job, ranks: 3, into: "parts")
    #expect(parts == whole)
  }

  @Test("killed at any moment and started again by the same command", .enabled(if: hasFashionMNIST))
  func killed() throws {
    let command = try makeCommand()
    defer { command.remove() }
    let more = ["checkpoint.every_seconds=0.05", "training.epochs=60"]
    let whole = try train(command, .table, ranks: nil, into: "whole", more)
    var generator = SystemRandomNumberGenerator()
    for attempt in 0..<6 {
      let process = try command.start(
        ranks: 2, Job.table.arguments + more + ["output.folder=parts", "--progress", "none"])
      Thread.sleep(forTimeInterval: 0.35 + Double.random(in: 0..<0.6, using: &generator))
      if attempt % 2 == 0 {
        kill(process.processIdentifier, SIGKILL)
      } else {
        try killAnyRank(of: process, using: &generator)
      }
      process.waitUntilExit()
      try waitForRanksToEnd()
    }
    let parts = try train(command, .table, ranks: 3, into: "parts", more)
    #expect(parts == whole)
  }

  /// Kills one child of `mpirun`.
  private func killAnyRank(
    of launcher: Process, using generator: inout SystemRandomNumberGenerator
  ) throws {
    let path = "/proc/\(launcher.processIdentifier)/task/\(launcher.processIdentifier)/children"
    let children = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    let ranks = children.split(separator: " ").compactMap { Int32($0) }
    if let rank = ranks.randomElement(using: &generator) { kill(rank, SIGKILL) }
  }

  /// Orphans of a killed launcher notice within a moment; the next start must not race them.
  private func waitForRanksToEnd() throws {
    for _ in 0..<100 {
      let running = try FileManager.default.contentsOfDirectory(atPath: "/proc").contains { entry in
        guard Int(entry) != nil,
          let line = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(entry)/cmdline"))
        else { return false }
        return String(decoding: line, as: UTF8.self).contains("output.folder=parts")
      }
      if !running { return }
      Thread.sleep(forTimeInterval: 0.1)
    }
    Issue.record("ranks of a killed run are still there after 10 seconds")
  }
}
