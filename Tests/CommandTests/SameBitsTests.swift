import Foundation
import Testing

/// The contract: the same weights and predictions on any number of ranks, in one go or in pieces.
@Suite("The same bits", .serialized)
struct SameBitsTests {
  /// Jobs that between them use convolution (directly and by tiles), batch norm, dropout, Adam, LARS, LAMB, a scaled rate, warm-up,
  /// residuals, several yes/no outputs, momentum, clipping, averages and a smaller last batch.
  enum Job: String, CaseIterable {
    case images, residual, tiles, lars, lamb, table, blocks

    /// Whether the job reads images.
    var sharesCache: Bool { [.images, .residual, .tiles].contains(self) }

    var arguments: [String] {
      switch self {
      case .images:
        [
          "fashion-mnist", "training.batch=64", "training.shards=8", "training.epochs=1",
          "training.max_steps=10", "evaluation.batch=50", "data.dev={count: 300, stratified: true}",
          "data.test={count: 2000}",
        ]
      case .residual: Self.smallResidual + ["conv.algorithm=direct"]
      case .tiles: Self.smallResidual + ["conv.algorithm=winograd"]
      case .lars:
        [
          "table.yaml", "optimizer={kind: lars, learning_rate: 2, trust: 0.02}",
          "optimizer.scale={rule: linear, base_batch: 8}", "training.clip_norm=1",
        ]
      case .lamb:
        // 82,000 weights in the second layer: 21 blocks of norms, several buckets.
        [
          "table.yaml", "optimizer={kind: lamb, learning_rate: 0.02}",
          "optimizer.scale={rule: square_root, base_batch: 6}",
          "model.layers=[{dense: 320}, relu, {dense: 256}, batch_norm, relu, {dense: 3}]",
          "plan.bucket_bytes=65536",
        ]
      case .table: ["table.yaml"]
      case .blocks: ["blocks.yaml"]
      }
    }

    private static let smallResidual = [
      "residual", "training.batch=32", "training.shards=8", "training.epochs=1",
      "training.max_steps=6", "training.clip_norm=1", "training.ema_decay=0.9",
    ]
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
    "on any number of ranks", .enabled(if: hasFashionMNIST),
    arguments: Job.allCases.filter { $0 != .blocks })
  func anyRankCount(job: Job) throws {
    let command = try Command.table(sharesCache: job.sharesCache)
    defer { command.remove() }
    let alone = try train(command, job, ranks: nil, into: "alone")
    for ranks in [1, 2, 3, 4, 5, 8] {
      let together = try train(command, job, ranks: ranks, into: "ranks-\(ranks)")
      #expect(together == alone, "\(ranks) ranks")
    }
  }

  @Test(
    "cut in the middle of an epoch and continued on other numbers of ranks",
    .enabled(if: hasFashionMNIST), arguments: [Job.images, .lamb, .table])
  func continued(job: Job) throws {
    let command = try Command.table(sharesCache: job.sharesCache)
    defer { command.remove() }
    let whole = try train(command, job, ranks: nil, into: "whole")
    _ = try train(command, job, ranks: 4, into: "parts", ["training.max_steps=3"])
    _ = try train(command, job, ranks: 2, into: "parts", ["training.max_steps=7"])
    let parts = try train(command, job, ranks: 3, into: "parts")
    #expect(parts == whole)
  }

  @Test("EfficientNet's blocks, on 1 to 4 ranks and continued on others")
  func efficientNetBlocks() throws {
    let command = try Command()
    defer { command.remove() }
    try command.write(SmallJob.blocks, to: "blocks.yaml")
    let alone = try train(command, .blocks, ranks: nil, into: "alone")
    for ranks in 1...4 {
      #expect(
        try train(command, .blocks, ranks: ranks, into: "ranks-\(ranks)") == alone,
        "\(ranks) ranks")
    }
    _ = try train(command, .blocks, ranks: 3, into: "parts", ["training.max_steps=5"])
    #expect(try train(command, .blocks, ranks: 2, into: "parts") == alone)
  }

  @Test("killed at any moment and started again by the same command")
  func killed() throws {
    let command = try Command.table()
    defer { command.remove() }
    let more = ["checkpoint.every_seconds=0.05", "training.epochs=1500"]
    let whole = try train(command, .table, ranks: nil, into: "whole", more)
    var generator = SystemRandomNumberGenerator()
    var interruptions = 0
    for (attempt, ranks) in [2, 4, 3, 1, 2, 3].enumerated() {
      let process = try command.start(
        ranks: ranks, Job.table.arguments + more + ["output.folder=parts", "--progress", "none"])
      Thread.sleep(forTimeInterval: 0.3 + Double.random(in: 0..<0.5, using: &generator))
      if attempt % 2 == 0 {
        kill(process.processIdentifier, SIGKILL)
      } else {
        try Command.killAnyRank(of: process)
      }
      if try command.result(of: process).status != 0 { interruptions += 1 }
      try command.waitForRanksToEnd()
    }
    #expect(interruptions >= 3, "the run was over before it could be killed")
    let parts = try train(command, .table, ranks: 3, into: "parts", more)
    #expect(parts == whole)
  }
}
