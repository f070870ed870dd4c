import Foundation
import Testing

/// Ranks that step alone and meet every few steps.
@Suite("Local steps", .serialized)
struct LocalStepsTests {
  private func train(
    _ command: Command, ranks: Int, into folder: String, _ more: [String] = []
  ) throws -> Command.Result {
    try command.run(
      ranks: ranks,
      ["table.yaml", "output.folder=\(folder)", "audit.every_steps=5", "--progress", "none"] + more)
  }

  private func weights(
    _ command: Command, ranks: Int, into folder: String, _ more: [String]
  ) throws -> Data {
    let result = try train(command, ranks: ranks, into: folder, more)
    #expect(result.status == 0, "\(result.errors)")
    return try command.bytes("\(folder)/model.safetensors")
  }

  private func testLoss(_ result: Command.Result) throws -> Double {
    let match = try #require(result.output.firstMatch(of: /test: [0-9]+ samples, loss ([0-9.e-]+)/))
    return try #require(Double(match.1))
  }

  @Test(
    "training comes about as far as with common steps, and the header tells", arguments: [2, 4])
  func trains(ranks: Int) throws {
    let command = try Command.table()
    defer { command.remove() }
    let plain = try train(command, ranks: ranks, into: "plain", ["training.epochs=12"])
    let local = try train(
      command, ranks: ranks, into: "local", ["training.epochs=12", "training.local_steps=4"])
    #expect(local.status == 0, "\(local.errors)")
    #expect(
      local.output.contains(
        "each rank takes 4 steps alone, then all take their mean: the result depends on the ranks"))
    let losses = (try testLoss(plain), try testLoss(local))
    #expect(losses.1 < 1.25 * losses.0, "\(losses)")
  }

  @Test("one rank has the bits of a run without them")
  func oneRank() throws {
    let command = try Command.table()
    defer { command.remove() }
    #expect(
      try weights(command, ranks: 1, into: "plain", [])
        == weights(command, ranks: 1, into: "local", ["training.local_steps=4"]))
  }

  @Test(
    "the same ranks give the same bits, in one go or cut",
    arguments: [(2, "momentum"), (3, "adam"), (4, "lamb")])
  func resumed(ranks: Int, kind: String) throws {
    let command = try Command.table()
    defer { command.remove() }
    let more = [
      "training.local_steps=4", "training.ema_decay=0.9",
      "optimizer={kind: \(kind), learning_rate: 0.02}",
    ]
    let whole = try weights(command, ranks: ranks, into: "whole", more)
    #expect(try weights(command, ranks: ranks, into: "again", more) == whole)
    // Ends at 4, at 13, the ranks' next meeting in the second epoch, and at the end.
    _ = try weights(command, ranks: ranks, into: "parts", more + ["training.max_steps=2"])
    _ = try weights(command, ranks: ranks, into: "parts", more + ["training.max_steps=10"])
    #expect(try weights(command, ranks: ranks, into: "parts", more) == whole)
  }

  @Test(
    "a mean after every step of plain SGD is the step over the whole batch", arguments: [2, 3])
  func meanOfSteps(ranks: Int) throws {
    let command = try Command.table()
    defer { command.remove() }
    // An epoch is one step, so that the ranks meet after each.
    let more = [
      "training.batch=208", "training.epochs=20", "optimizer={kind: sgd, learning_rate: 0.5}",
    ]
    func numbers(_ folder: String, _ rest: [String]) throws -> [Float] {
      let data = try weights(command, ranks: ranks, into: folder, more + rest)
      let header = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      return data.dropFirst(8 + header).withUnsafeBytes { bytes in
        (0..<bytes.count / 4).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
      }
    }
    let (together, alone) = (
      try numbers("together", []), try numbers("alone", ["training.local_steps=2"])
    )
    #expect(together != alone)
    // Some roundings of numbers up to about 1 in each of 20 steps.
    let worst = zip(together, alone).map { abs($0 - $1) }.max() ?? 1
    #expect(worst < 20 * 8 * 0x1p-23, "\(worst)")
  }

  @Test("a rank whose part of a batch is empty sits it out")
  func emptyPart() throws {
    let command = try Command.table()
    defer { command.remove() }
    // The epoch ends with a batch of two samples for four ranks.
    let result = try train(
      command, ranks: 4, into: "empty",
      ["training.batch=28", "training.shards=4", "training.local_steps=3"])
    #expect(result.status == 0, "\(result.errors)")
  }

  @Test("a gradient that is not finite on one rank ends all with one sentence", arguments: [2, 3])
  func divergence(ranks: Int) throws {
    let command = try Command.table()
    defer { command.remove() }
    // Three samples, not all of which are cut off for dev and test.
    let huge = String(repeating: "3e38,3e38,red,1,1,0\n", count: 3)
    try command.write(SmallJob.tableRows + huge, to: "table.csv")
    let result = try train(
      command, ranks: ranks, into: "bad",
      [
        "training.local_steps=4", "data.normalize=none",
        "model.layers=[{dense: 9}, relu, {dense: 3}]",
      ])
    #expect(result.status == 3)
    let lines = result.errors.split(separator: "\n")
    #expect(lines.count == 3, "\(result.errors)")
    let sentence =
      /^step \d+: rank \d of \d \([^)]+\): the loss is nan; layers.0 \(dense\) went bad first; the ranks did not take its weights$/
    #expect(lines.first?.contains(sentence) == true, "\(result.errors)")
  }

  @Test("SIGTERM ends the run where the ranks meet, and it goes on there", arguments: [2])
  func preempted(rank: Int) throws {
    let command = try Command.table()
    defer { command.remove() }
    let more = ["training.local_steps=4", "training.epochs=1500"]
    let whole = try weights(command, ranks: 3, into: "whole", more)
    let process = try command.start(
      ranks: 3, ["table.yaml", "--progress", "none"] + more)
    try command.waitForSteps()
    kill(try #require(Command.ranks(of: process).dropFirst(rank).first), SIGTERM)
    let result = try command.result(of: process)
    #expect(result.status == 75, "\(result.errors)")
    #expect(result.errors.contains("preempted by SIGTERM at step "), "\(result.errors)")
    let parts = try weights(command, ranks: 3, into: "runs/table", more)
    #expect(parts == whole)
  }
}
