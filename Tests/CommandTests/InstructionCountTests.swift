import Foundation
import Testing

/// Guards the speed of a step where times cannot: on machines that others use too. A count is, to a thousandth, the same in every
/// run of a build. The counts that a step may have stand in `instruction_counts.json`, by instruction set;
/// after a change that is worth more instructions, or that saves some, store the new ones:
///
/// ```sh
/// UPDATE_COUNTS=1 swift test -c release --disable-xctest --filter InstructionCountTests
/// ```
@Suite("Instructions of a step", .serialized)
struct InstructionCountTests {
  /// Compilers of other releases differ a little.
  private static let tolerance = 1.05

  private static let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("instruction_counts.json")

  /// Small, since every instruction is a round trip to the system.
  private static let config = """
    name: small
    data: {format: idx, train: {images: images.idx, labels: labels.idx}}
    model:
      input: [4, 4, 1]
      layers:
        - conv2d: {filters: 8, kernel: 3, padding: same}
        - batch_norm
        - relu
        - max_pool: 2
        - flatten
        - dense: 24
        - gelu
        - layer_norm
        - dropout: 0.3
        - dense: 10
    loss: softmax_cross_entropy
    optimizer: {kind: adam, learning_rate: 0.001}
    training: {epochs: 1, batch: 2, shards: 1}

    """

  @Test("are no more than stored")
  func noMore() throws {
    let command = try Command()
    defer { command.remove() }
    try command.write(Self.config, to: "small.yaml")
    let result = try command.run(
      by: [], [:], program: BenchTests.bench,
      ["instructions", "small.yaml", "--json", "report.json"])
    guard !result.errors.contains("lets no process step through another") else {
      print("skipped: \(result.errors)")
      return
    }
    #expect(result.status == 0, "\(result.errors)")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let report = try decoder.decode(Report.self, from: command.bytes("report.json"))
    try compare(try #require(report.rows.first))
  }

  private struct Report: Decodable {
    struct Row: Decodable {
      let instructionSet: String
      let count: Int
    }
    let rows: [Row]
  }

  private func compare(_ row: Report.Row) throws {
    var stored = try JSONDecoder().decode([String: Int].self, from: Data(contentsOf: Self.file))
    if ProcessInfo.processInfo.environment["UPDATE_COUNTS"] != nil {
      stored[row.instructionSet] = row.count
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try (encoder.encode(stored) + Data("\n".utf8)).write(to: Self.file)
      return
    }
    guard let bound = stored[row.instructionSet] else {
      print("skipped: instruction_counts.json has no count for \(row.instructionSet)")
      return
    }
    #expect(
      Double(row.count) <= Self.tolerance * Double(bound),
      "a step takes \(row.count) instructions, \(bound) are stored; UPDATE_COUNTS=1 stores these")
    if Double(row.count) < 0.9 * Double(bound) {
      print("a step takes \(row.count) instructions, \(bound) are stored: store these")
    }
  }
}
