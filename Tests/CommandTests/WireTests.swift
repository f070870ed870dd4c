import Foundation
import Testing

/// Gradients that travel between hosts in 16 bits, on virtual hosts of this machine.
@Suite("Wire formats", .serialized)
struct WireTests {
  private static let cases = [("bfloat16", 4, 2), ("float16", 3, 1)]

  private func train(
    _ command: Command, ranks: Int, perHost: Int, into folder: String, _ more: [String] = []
  ) throws -> Command.Result {
    let result = try command.run(
      ranks: ranks,
      ["table.yaml", "output.folder=\(folder)", "audit.every_steps=3", "--progress", "none"]
        + more, environment: ["DDP_TRAIN_HOST_SIZE": "\(perHost)"])
    #expect(result.status == 0, "\(result.errors)")
    return result
  }

  private func weights(_ command: Command, _ folder: String) throws -> Data {
    try command.bytes("\(folder)/model.safetensors")
  }

  /// The last `"loss": number` of the test part in the summary.
  private func testLoss(_ result: Command.Result) throws -> Double {
    let match = try #require(result.output.firstMatch(of: /test: [0-9]+ samples, loss ([0-9.e-]+)/))
    return try #require(Double(match.1))
  }

  @Test(
    "training comes as far as with float32, with equal replicas, and the header tells",
    arguments: cases)
  func trains(format: String, ranks: Int, perHost: Int) throws {
    let command = try Command.table()
    defer { command.remove() }
    let more = ["training.epochs=12"]
    let plain = try train(
      command, ranks: ranks, perHost: perHost, into: "plain", more)
    let rounded = try train(
      command, ranks: ranks, perHost: perHost, into: "rounded",
      more + ["communication.wire=\(format)"])
    #expect(
      rounded.output.contains(
        "gradients travel between hosts as \(format): the result depends on the hosts and their ranks"
      ))
    #expect(!plain.output.contains("travel"))
    let losses = (try testLoss(plain), try testLoss(rounded))
    #expect(abs(losses.1 - losses.0) < 0.03 * losses.0, "\(losses)")
    #expect(try weights(command, "plain") != weights(command, "rounded"))
  }

  @Test("one host rounds nothing and says so")
  func oneHost() throws {
    let command = try Command.table()
    defer { command.remove() }
    _ = try train(command, ranks: 2, perHost: 2, into: "plain")
    let result = try train(
      command, ranks: 2, perHost: 2, into: "rounded", ["communication.wire=bfloat16"])
    #expect(result.output.contains("communication.wire bfloat16 has no effect on one host"))
    #expect(try weights(command, "plain") == weights(command, "rounded"))
  }

  @Test(
    "a run that is cut goes on with the bits of one in one go", arguments: cases)
  func resumed(format: String, ranks: Int, perHost: Int) throws {
    let command = try Command.table()
    defer { command.remove() }
    let more = ["communication.wire=\(format)"]
    func run(_ folder: String, _ rest: [String] = []) throws {
      _ = try train(
        command, ranks: ranks, perHost: perHost, into: folder, more + rest)
    }
    try run("whole")
    try run("parts", ["training.max_steps=4"])
    try run("parts", ["training.max_steps=15"])
    try run("parts")
    #expect(try weights(command, "whole") == weights(command, "parts"))
  }

  @Test("on other hosts and on one host a run goes on, and says what becomes of the residuals")
  func otherHosts() throws {
    let command = try Command.table()
    defer { command.remove() }
    let more = ["communication.wire=bfloat16"]
    _ = try train(command, ranks: 4, perHost: 1, into: "parts", more + ["training.max_steps=4"])
    let second = try train(
      command, ranks: 4, perHost: 2, into: "parts", more + ["training.max_steps=8"])
    #expect(
      second.output.contains(
        "other hosts than before: what rounding between them had kept back goes to the first one"))
    let third = try train(command, ranks: 2, perHost: 2, into: "parts", more)
    #expect(
      third.output.contains("one host: what rounding between hosts had kept back is dropped"))
  }
}
