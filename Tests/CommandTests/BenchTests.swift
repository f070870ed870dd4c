import Foundation
import Testing

/// Every benchmark runs and says what it promises; how fast anything is, no test knows.
@Suite("ddp-bench", .serialized)
struct BenchTests {
  static let bench = Command.program.deletingLastPathComponent()
    .appendingPathComponent("ddp-bench")

  /// The rows of a report that a subcommand wrote.
  private func rows(
    _ command: Command, ranks: Int? = nil, _ arguments: [String],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws -> [[String: Any]] {
    let launcher = ranks.map {
      ["mpirun", "--oversubscribe", "--bind-to", "none", "-q", "-n", "\($0)"]
    }
    let result = try command.run(
      by: launcher ?? [], [:], program: Self.bench, arguments + ["--json", "report.json"])
    #expect(result.status == 0, "\(result.errors)", sourceLocation: sourceLocation)
    let object = try JSONSerialization.jsonObject(with: command.bytes("report.json"))
    let report = try #require(object as? [String: Any], sourceLocation: sourceLocation)
    #expect(report["benchmark"] as? String == arguments[0], sourceLocation: sourceLocation)
    #expect(result.output.hasPrefix("\(arguments[0]): "), sourceLocation: sourceLocation)
    let limits = try #require(report["limits"] as? [String: Any], sourceLocation: sourceLocation)
    let peak = limits["operations_per_second"] as? Double ?? 0
    #expect(peak > 1e8, sourceLocation: sourceLocation)
    return try #require(report["rows"] as? [[String: Any]], sourceLocation: sourceLocation)
  }

  /// Expects positive numbers under `keys` in every row.
  private func expectPositive(_ rows: [[String: Any]], _ keys: [String]) {
    #expect(!rows.isEmpty)
    for row in rows {
      for key in keys { #expect(row[key] as? Double ?? 0 > 0, "\(key) of \(row)") }
    }
  }

  @Test("kernels")
  func kernels() throws {
    let command = try Command()
    defer { command.remove() }
    let rows = try rows(
      command, ["kernels", "--filter", "1->6", "--seconds", "0.01"])
    #expect(rows.map { $0["name"] as? String } == ["convolution 5x5 1->6 @28"])
    expectPositive(
      rows, ["forward", "by_data", "by_weights", "forward_peak_fraction", "by_data_peak_fraction"])
  }

  @Test("plan: every instruction, its floor, and a total")
  func plan() throws {
    let command = try Command.images()
    defer { command.remove() }
    let rows = try rows(command, ["plan", "images.yaml", "--seconds", "0.05"])
    let names = rows.compactMap { $0["name"] as? String }
    #expect(names.first == "load" && names.suffix(4) == ["fold", "check", "update", "total"])
    #expect(names.contains { $0.hasPrefix("conv2d_weight_gradient") })
    expectPositive(rows, ["floor_seconds", "byte_count"])
    let sum = rows.dropLast().reduce(0) { $0 + ($1["floor_seconds"] as? Double ?? 0) }
    let total = rows.last?["floor_seconds"] as? Double ?? 0
    #expect(abs(sum - total) <= 1e-9 * total)
  }

  @Test("steps", arguments: [nil, 2])
  func steps(ranks: Int?) throws {
    let command = try Command.images()
    defer { command.remove() }
    let rows = try rows(
      command, ranks: ranks, ["steps", "images.yaml", "--seconds", "0.05", "--rounds", "2"])
    #expect(rows.map { $0["ranks"] as? Int } == [ranks ?? 1])
    expectPositive(
      rows, ["samples_per_second", "step_seconds", "peak_fraction", "peak_byte_count"])
  }

  @Test("sums")
  func sums() throws {
    let command = try Command()
    defer { command.remove() }
    let rows = try rows(
      command, ranks: 2, ["sums", "--rounds", "1", "--largest-exponent", "13"])
    #expect(rows.map { $0["byte_count"] as? Int } == [4096, 8192])
    expectPositive(rows, ["seconds", "allreduce_seconds", "copy_seconds"])
  }

  @Test("checkpoint, which leaves nothing behind")
  func checkpoint() throws {
    let command = try Command.images()
    defer { command.remove() }
    let rows = try rows(
      command, ["checkpoint", "images.yaml", "--rounds", "2", "--folder", command.path(".")])
    #expect(rows.map { $0["part"] as? String } == ["copy", "save", "load"])
    expectPositive(rows, ["byte_count", "seconds", "limit_seconds", "bytes_per_second"])
    #expect(try !command.everything().keys.contains { $0.hasPrefix("ddp-bench-") })
  }

  @Test("start, alone and through a launcher")
  func start() throws {
    let command = try Command.images()
    defer { command.remove() }
    for launcher in ["", "nice -n 0"] {
      let rows = try rows(
        command, ["start", "images.yaml", "--rounds", "1", "--launcher", launcher])
      #expect(rows.map { $0["launcher"] as? String } == [launcher])
      expectPositive(rows, ["seconds", "fastest_seconds", "slowest_seconds"])
    }
    #expect(!FileManager.default.fileExists(atPath: command.path("runs")))
  }

  @Test("a program that takes no step is a fault, not a figure")
  func brokenStart() throws {
    let command = try Command.images()
    defer { command.remove() }
    let result = try command.run(
      by: [], [:], program: Self.bench, ["start", "absent.yaml", "--rounds", "1"])
    #expect(result.status != 0 && result.errors.contains("and no first step"), "\(result.errors)")
  }
}
