import Checkpoints
import Foundation
import Testing

/// `batch_norm: {statistics: batch}` as users run it: as many ranks as micro-shards, one batch.
@Suite("Batch norm over all ranks by command", .serialized)
struct WholeBatchNormCommandTests {
  /// 197 samples to train on.
  private static func arguments(ranks: Int, batch: Int, _ more: [String] = []) -> [String] {
    [
      "table.yaml", "training.shards=\(ranks)", "training.batch=\(batch)", "data.dev={count: 38}",
      "model.layers=[{dense: 16}, batch_norm, relu, {dense: 12}, batch_norm, tanh, {dense: 3}]",
    ] + more
  }

  private func train(
    _ command: Command, ranks: Int?, _ arguments: [String], into folder: String,
    hostSize: Int? = nil
  ) throws -> Data {
    let result = try command.run(
      ranks: ranks, arguments + ["output.folder=\(folder)", "--progress", "none"],
      environment: hostSize.map { ["DDP_TRAIN_HOST_SIZE": "\($0)"] } ?? [:])
    #expect(result.status == 0, "\(ranks ?? 1) ranks: \(result.errors)")
    return try command.bytes("\(folder)/model.safetensors")
  }

  private static let whole = ["model.batch_norm_statistics=batch"]

  // But for the last of them, an epoch's second step leaves ranks without samples: it has one, two and one.
  @Test(
    "R ranks train as one rank with one micro-shard, bit for bit the same on any hosts",
    arguments: [(2, 196), (3, 195), (4, 196), (4, 24)])
  func sameAsOneRank(ranks: Int, batch: Int) throws {
    let command = try Command.table()
    defer { command.remove() }
    _ = try train(
      command, ranks: nil, Self.arguments(ranks: 1, batch: batch), into: "alone")
    let arguments = Self.arguments(ranks: ranks, batch: batch, Self.whole)
    let together = try train(command, ranks: ranks, arguments, into: "together")
    for hostSize in [1, 2] {
      let hosts = try train(
        command, ranks: ranks, arguments, into: "hosts-\(hostSize)", hostSize: hostSize)
      #expect(hosts == together, "\(hostSize) ranks a host")
    }
    // 6 to 27 steps in Float.
    try #expect(worstDifference(command, "alone", "together") < 2e-4)
  }

  /// Over the norm of each tensor.
  private func worstDifference(
    _ command: Command, _ first: String, _ second: String
  ) throws -> Double {
    let files = try [first, second].map {
      try SafetensorsFile(path: command.path("\($0)/model.safetensors"))
    }
    return try files[0].shapes.map { shape in
      let values = try files.map { try $0.doubles(shape.name) }
      let norm = values[0].reduce(0) { $0 + $1 * $1 }
      let difference = zip(values[0], values[1]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      return (difference / (norm + 1e-3)).squareRoot()
    }.max() ?? 1
  }

  @Test("one rank with one micro-shard has the bits of plain batch norm")
  func oneRank() throws {
    let command = try Command.table()
    defer { command.remove() }
    let plain = try train(
      command, ranks: nil, Self.arguments(ranks: 1, batch: 24), into: "plain")
    for ranks in [nil, 1] {
      let whole = try train(
        command, ranks: ranks, Self.arguments(ranks: 1, batch: 24, Self.whole),
        into: "whole-\(ranks ?? 0)")
      let tensors = try ["plain", "whole-\(ranks ?? 0)"].map {
        try SafetensorsFile(path: command.path("\($0)/model.safetensors"))
      }
      for shape in tensors[0].shapes {
        #expect(try tensors[0].doubles(shape.name) == tensors[1].doubles(shape.name))
      }
      #expect(whole.count == plain.count)
    }
  }

  @Test("cut in the middle of an epoch and continued")
  func continued() throws {
    let command = try Command.table()
    defer { command.remove() }
    let arguments = Self.arguments(ranks: 3, batch: 24, Self.whole)
    let whole = try train(command, ranks: 3, arguments, into: "whole")
    _ = try train(command, ranks: 3, arguments + ["training.max_steps=5"], into: "parts")
    let parts = try train(command, ranks: 3, arguments, into: "parts", hostSize: 2)
    #expect(parts == whole)
    let evaluation = try command.run(["evaluate"] + arguments + ["output.folder=parts"])
    #expect(evaluation.status == 0, "on another number of ranks: \(evaluation.errors)")
  }

  @Test("another number of ranks is refused before anything is written", arguments: [nil, 2])
  func refused(ranks: Int?) throws {
    let command = try Command.table()
    defer { command.remove() }
    try command.write(
      SmallJob.table.replacing("- batch_norm", with: "- batch_norm: {statistics: batch}"),
      to: "whole.yaml")
    let count = ranks ?? 1
    try expectRefusal(
      command, ["whole.yaml"], ranks: ranks,
      """
      whole.yaml:14:7: batch_norm takes the statistics of the whole batch, but there \
      \(count == 1 ? "is 1 rank" : "are \(count) ranks") for 8 micro-shards
        expected: as many ranks as training.shards, so that all ranks come to this layer together
        to fix:   start 8 ranks, or set training.shards=\(count), or use statistics: shard
      """)
  }

  @Test("the header says whose bits they are")
  func header() throws {
    let command = try Command.table()
    defer { command.remove() }
    let result = try command.run(
      ranks: 2, Self.arguments(ranks: 2, batch: 24, Self.whole) + ["--dry-run"])
    #expect(
      result.output.contains(
        "bits       of 2 ranks only: 2 batch norms take the statistics of the whole batch\n"),
      "\(result.output)")
  }
}
