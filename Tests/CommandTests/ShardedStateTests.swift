import Foundation
import Testing

/// `optimizer.state` with real processes and shared memory; what needs none of them is tested with threads.
@Suite("Optimizer state over the ranks of a host", .serialized)
struct ShardedStateTests {
  /// 85,000 parameters, 21 blocks of norms in the second layer, several buckets.
  private static func arguments(_ kind: String, _ state: String) -> [String] {
    [
      "table.yaml", "optimizer={kind: \(kind), learning_rate: 0.02, state: \(state)}",
      "model.layers=[{dense: 320}, relu, {dense: 256}, batch_norm, relu, {dense: 3}]",
      "plan.bucket_bytes=65536", "training.clip_norm=0.5", "training.ema_decay=0.9",
      "audit.every_steps=5", "--progress", "none",
    ]
  }

  private func train(
    _ command: Command, _ kind: String, _ state: String, ranks: Int, hostSize: Int? = nil,
    into folder: String, _ more: [String] = []
  ) throws -> (output: String, weights: Data) {
    let result = try command.run(
      ranks: ranks, Self.arguments(kind, state) + ["output.folder=\(folder)"] + more,
      environment: hostSize.map { ["DDP_TRAIN_HOST_SIZE": "\($0)"] } ?? [:])
    #expect(result.status == 0, "\(kind) \(state) on \(ranks) ranks: \(result.errors)")
    return (result.output, try command.bytes("\(folder)/model.safetensors"))
  }

  @Test("gives the same bits whoever holds it", arguments: ["adamw", "lamb"])
  func sameBits(kind: String) throws {
    let command = try Command.table()
    defer { command.remove() }
    let alone = try train(command, kind, "auto", ranks: 1, into: "alone")
    #expect(!alone.output.contains("\nstate "))
    let cases: [(String, Int, Int?, String)] = [
      ("replicated", 3, nil, "replicated: every rank holds all of it"),
      ("sharded", 2, nil, "sharded over the 2 ranks of the host"),
      ("sharded", 3, nil, "sharded over the 3 ranks of the host"),
      ("sharded", 4, 2, "sharded over the 2 ranks of each host"),
      ("sharded", 3, 2, "sharded over the ranks of each host"),
      ("sharded", 2, 1, "replicated: each host has one rank"),
    ]
    for (index, (state, ranks, hostSize, line)) in cases.enumerated() {
      let run = try train(
        command, kind, state, ranks: ranks, hostSize: hostSize, into: "\(index)")
      #expect(run.weights == alone.weights, "\(state), \(ranks) ranks, host size \(hostSize ?? 0)")
      #expect(run.output.contains("\nstate      \(line)\n"), "\(run.output)")
      let summary = try command.read("\(index)/summary.txt")
      #expect(summary.contains("\nstate      \(line)\n"))
    }
  }

  @Test("may change between the starts of a run, with the number of ranks")
  func resume() throws {
    let command = try Command.table()
    defer { command.remove() }
    let whole = try train(command, "lamb", "replicated", ranks: 1, into: "whole")
    let starts: [(Int, String, Int)] = [(4, "sharded", 4), (11, "replicated", 2), (17, "auto", 3)]
    for (steps, state, ranks) in starts {
      _ = try train(
        command, "lamb", state, ranks: ranks, into: "parts", ["training.max_steps=\(steps)"])
    }
    let parts = try train(command, "lamb", "sharded", ranks: 2, into: "parts")
    #expect(parts.weights == whole.weights)
    // Evaluation on the averaged weights, which the ranks of a host hold once.
    let reports = try ["sharded", "replicated"].map { state in
      try command.run(
        ranks: 3, ["evaluate"] + Self.arguments("lamb", state).dropLast(2) + ["output.folder=parts"]
      ).output
    }
    #expect(reports[0].contains("37") || reports[0].contains("samples"))
    #expect(reports[0] == reports[1])
  }

  @Test("is healed from another host, as the ranks of one hold the same")
  func heal() throws {
    let command = try Command.table()
    defer { command.remove() }
    let whole = try train(command, "adamw", "replicated", ranks: 1, into: "whole")
    let healed = try train(
      command, "adamw", "sharded", ranks: 4, hostSize: 2, into: "healed",
      [
        "audit.on_mismatch=heal", "--inject",
        "flip-bit:rank=3,step=10,tensor=adam_v.layers.2.weight,element=70000",
      ])
    #expect(healed.output.contains("all ranks agree again"), "\(healed.output)")
    #expect(healed.weights == whole.weights)
  }

  @Test("takes less memory, measured, the more ranks a host has")
  func memory() throws {
    let command = try Command.table()
    defer { command.remove() }
    // 4 million parameters: 16 MB each for weights, average and the two slots of Adam.
    let held = try ["replicated", "sharded"].map { try proportionalByteCount(command, $0) }
    // Three ranks replicate 3 x 48 MB; together they need 48 MB.
    let saved = Double(held[0] - held[1])
    #expect(saved > 0.9 * 96e6 && saved < 1.1 * 96e6, "\(held)")
  }

  /// Of three ranks in the middle of their steps, together.
  private func proportionalByteCount(_ command: Command, _ state: String) throws -> Int {
    try? FileManager.default.removeItem(atPath: command.path("runs/table/metrics.jsonl"))
    let process = try command.start(
      ranks: 3,
      Self.arguments("adamw", state) + [
        "model.layers=[{dense: 2000}, relu, {dense: 2000}, relu, {dense: 3}]",
        "output.folder=runs/table", "training.epochs=10000", "--fresh",
        // A save holds a copy of the state for a moment.
        "evaluation.every_epochs=1000000", "checkpoint.every_seconds=100000",
      ])
    try command.waitForSteps()
    let byteCount = try settledByteCount(of: Command.ranks(of: process))
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    try command.waitForRanksToEnd()
    return byteCount
  }

  /// What the start has taken and given back is not counted: the sum, once it stands still for a second.
  private func settledByteCount(of ranks: [Int32]) throws -> Int {
    var last: [Int] = []
    for _ in 0..<100 {
      last = try last.suffix(4) + [ranks.map(Self.proportionalByteCount).reduce(0, +)]
      if last.count == 5, last.max()! - last.min()! < 1_000_000 { break }
      Thread.sleep(forTimeInterval: 0.25)
    }
    return try #require(last.last)
  }

  /// Bytes of memory written to, those that several processes share divided among them.
  ///
  /// The program and its libraries are left out: what a rank bears of them depends on who else runs.
  private static func proportionalByteCount(of process: Int32) throws -> Int {
    let text = try String(contentsOfFile: "/proc/\(process)/smaps_rollup", encoding: .utf8)
    let kilobytes = text.split(separator: "\n")
      .filter { $0.hasPrefix("Pss_Anon:") || $0.hasPrefix("Pss_Shmem:") }
      .compactMap { $0.split(separator: " ").dropFirst().first.flatMap { Int($0) } }
    try #require(kilobytes.count == 2, "\(text)")
    return kilobytes.reduce(0, +) * 1024
  }
}
