import Foundation
import Testing

/// `training.recompute: blocks` as users run it: the same files from less memory.
@Suite("Recomputation by command", .serialized)
struct RecomputationTests {
  private static let again = ["training.recompute=blocks"]

  /// Two rounds of batch norm and dropout.
  private static let residual =
    "model.layers=[{dense: 16}, {repeat: {times: 2, layers: [{residual: {main: [{dense: 16}, batch_norm, relu, "
    + "{dropout: 0.2}, {dense: 16}, batch_norm]}}, relu]}}, {dense: 3}]"

  private func gpt() throws -> Command {
    let command = try Command()
    try command.write(SequenceBitsTests.text, to: "words.txt")
    try command.write(SequenceBitsTests.Network.gpt.config, to: "words.yaml")
    return command
  }

  private func train(
    _ command: Command, _ config: String, ranks: Int?, into folder: String, _ more: [String] = []
  ) throws -> Data {
    let result = try command.run(
      ranks: ranks, [config, "output.folder=\(folder)", "--progress", "none"] + more)
    #expect(result.status == 0 && result.errors == "", "\(ranks ?? 1) ranks: \(result.errors)")
    return try command.bytes("\(folder)/model.safetensors")
  }

  @Test("a GPT with dropout, on 1 to 4 ranks; either setting goes on from the other's checkpoint")
  func sequences() throws {
    let command = try gpt()
    defer { command.remove() }
    let kept = try train(command, "words.yaml", ranks: nil, into: "kept")
    for ranks in [nil, 1, 2, 3, 4] {
      let folder = "again-\(ranks ?? 0)"
      #expect(try train(command, "words.yaml", ranks: ranks, into: folder, Self.again) == kept)
    }
    let part = ["training.max_steps=7"]
    for (folder, first, second) in [("a", Self.again, []), ("b", [], Self.again)] {
      _ = try train(command, "words.yaml", ranks: 3, into: folder, part + first)
      #expect(try train(command, "words.yaml", ranks: 2, into: folder, second) == kept)
    }
  }

  @Test("batch norm: running statistics are taken once", arguments: [1, 2, 3, 4])
  func batchNorm(ranks: Int) throws {
    let command = try Command.table()
    defer { command.remove() }
    let kept = try train(command, "table.yaml", ranks: nil, into: "kept", [Self.residual])
    let again = try train(
      command, "table.yaml", ranks: ranks, into: "again", [Self.residual] + Self.again)
    #expect(again == kept)
    let csv = try ["kept", "again"].map { try command.bytes("\($0)/predictions.csv") }
    #expect(csv[0] == csv[1])
  }

  @Test("batch norm over the whole batch: ranks meet as often as before", arguments: [2, 3])
  func wholeBatchNorm(ranks: Int) throws {
    let command = try Command.table()
    defer { command.remove() }
    let model = [
      Self.residual, "model.batch_norm_statistics=batch", "training.shards=\(ranks)",
    ]
    let kept = try train(command, "table.yaml", ranks: ranks, into: "kept", model)
    #expect(
      try train(command, "table.yaml", ranks: ranks, into: "again", model + Self.again) == kept)
  }

  @Test("verify proves the step that computes again")
  func verify() throws {
    let command = try gpt()
    defer { command.remove() }
    let result = try command.run(["verify", "words.yaml"] + Self.again)
    #expect(result.status == 0 && result.errors == "", "\(result.output)\(result.errors)")
    let mutant = try command.run(
      ["verify", "words.yaml", "--mutant", "dropout-other-mask"] + Self.again)
    #expect(mutant.status == 1 && mutant.output.contains("FAILED  gradients "), "\(mutant.output)")
  }

  @Test("summary and plan say what it costs and saves")
  func figures() throws {
    let command = try gpt()
    defer { command.remove() }
    let plain = try command.run(["summary", "words.yaml"]).output
    #expect(!plain.contains("recompute"))
    let again = try command.run(["summary", "words.yaml", "--plan"] + Self.again).output
    let line = try #require(
      again.firstMatch(
        of: /recompute +2 blocks, [0-9.]+ KFLOP of a sample a second time; without it (.*) for/),
      "\(again)")
    #expect(plain.contains("of it \(line.1) for the activations"))
    #expect(!again.contains("of it \(line.1) for the activations"))
    #expect(again.contains("\n  layer_norm again [layers.3.1.0.main.0] "))
    let plan = try command.run(["plan", "words.yaml"] + Self.again).output
    #expect(plan.contains("samples, blocks computed again in backward\n"), "\(plan)")
    let plainPlan = try command.run(["plan", "words.yaml"]).output
    #expect(!plainPlan.contains("again"))
  }
}
