import Foundation
import Testing

/// `--inject flip-bit` on one rank, and what the audit makes of it.
@Suite("A flipped bit", .serialized)
struct AuditTests {
  private static let arguments = [
    "table.yaml", "--progress", "none", "audit.every_steps=5", "training.epochs=4",
  ]

  @Test(
    "is found within audit.every_steps and named",
    arguments: [("layers.0.weight", 17), ("momentum.layers.4.bias", 0)])
  func stop(tensor: String, element: Int) throws {
    let command = try Command.table()
    defer { command.remove() }
    let result = try command.run(
      ranks: 3,
      Self.arguments + [
        "--inject", "flip-bit:rank=1,step=7,tensor=\(tensor),element=\(element),bit=3",
      ])
    #expect(result.status == 1)
    let start = try Regex("step 10: the ranks do not hold the same bits in [^:]+: ranks 0 \\(")
    #expect(result.errors.prefixMatch(of: start) != nil, "\(result.errors)")
    #expect(result.errors.contains(" against rank 1 ("), "\(result.errors)")
  }

  @Test("in the last steps is found before the weights are written")
  func atTheEnd() throws {
    let command = try Command.table()
    defer { command.remove() }
    let result = try command.run(
      ranks: 3, Self.arguments + ["--inject", "flip-bit:rank=0,step=36", "training.max_steps=36"])
    #expect(result.status == 1)
    #expect(
      result.errors.hasPrefix("step 36: the ranks do not hold the same bits in layers.0.weight:"))
    #expect(!FileManager.default.fileExists(atPath: command.path("runs/table/model.safetensors")))
  }

  @Test(
    "in the step of an audit is healed without a trace in the weights",
    arguments: [(3, 1, 0), (3, 0, 1), (2, 1, 0)])
  func heal(ranks: Int, victim: Int, source: Int) throws {
    let command = try Command.table()
    defer { command.remove() }
    let whole = try command.run(Self.arguments + ["output.folder=whole"])
    #expect(whole.status == 0)
    let result = try command.run(
      ranks: ranks,
      Self.arguments + [
        "audit.on_mismatch=heal", "--inject",
        "flip-bit:rank=\(victim),step=10,tensor=momentum.layers.0.weight",
      ])
    #expect(result.status == 0, "\(result.errors)")
    let host = try #require(Self.host(in: result.output))
    #expect(
      result.output.contains(
        """

        step 10: rank \(victim) (\(host)) held other bits in momentum.layers.0.weight and got those \
        of rank \(source) (\(host)); all ranks agree again

        """), "\(result.output)")
    #expect(
      try command.bytes("runs/table/model.safetensors") == command.bytes("whole/model.safetensors"))
    let log = try command.read("runs/table/metrics.jsonl")
    #expect(
      log.contains(
        """
        {"kind":"heal","step":10,"ranks":[\(victim)],"hosts":["\(host)"],\
        "tensor":"momentum.layers.0.weight","tensor_count":1}

        """))
    #expect(
      try command.read("runs/table/summary.txt").contains("\nhealed  \(host): once, at step 10\n"))
  }

  @Test("that comes again on the same host is a warning that names its memory")
  func again() throws {
    let command = try Command.table()
    defer { command.remove() }
    let result = try command.run(
      ranks: 3,
      Self.arguments + [
        "audit.on_mismatch=heal", "--inject", "flip-bit:rank=2,step=10", "--inject",
        "flip-bit:rank=2,step=13",
      ])
    #expect(result.status == 0, "\(result.errors)")
    let host = try #require(Self.host(in: result.output))
    #expect(
      result.output.contains(
        """
        warning: \(host): its ranks were healed 2 times in this run, at steps 10, 15
          expected: memory in which no bit changes by itself
          to fix:   test the memory of \(host), and run without it until it is found sound

        """), "\(result.output)")
    #expect(
      try command.read("runs/table/summary.txt")
        .contains("\nhealed  \(host): 2 times, at steps 10, 15\n"))
  }

  /// From the header: `ranks      3 on vm`.
  private static func host(in output: String) -> String? {
    let line = output.split(separator: "\n").first { $0.hasPrefix("ranks ") }
    return line?.split(separator: " ").last.map(String.init)
  }
}
