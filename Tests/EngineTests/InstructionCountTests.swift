import CInstructionCount
import Engine
import Foundation
import Graph
import Kernels
import Optimizers
import Testing

/// Guards the speed of a step where times cannot: on machines that others use too. A count is the same in every
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

  private static let networks: [String: (input: [Int], layers: [LayerKind])] = {
    var conv = Conv2DSpec(filters: 16, kernel: Extent(3))
    conv.padding = .same
    return [
      "convolutions": (
        [6, 6, 4],
        [
          .conv2d(conv), .batchNorm(BatchNormSpec()), .activation(.relu),
          .maxPool(PoolSpec(size: Extent(2))),
          .flatten(.channelsFirst), .dropout(rate: 0.3), .dense(DenseSpec(units: 10)),
        ]
      ),
      "dense layers": (
        [64],
        [
          .dense(DenseSpec(units: 96)), .activation(.gelu), .layerNorm(LayerNormSpec()),
          .dense(DenseSpec(units: 10)),
        ]
      ),
    ]
  }()

  @Test("are no more than stored", arguments: ["convolutions", "dense layers"])
  func noMore(network: String) throws {
    let found = try #require(Self.networks[network])
    let step = try SmallStep(
      input: found.input, found.layers, batch: 2, shards: 1,
      rule: .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8))
    step.load(0..<2)
    func take(_ number: Int) throws { _ = try step.steps.run(step.batch(number, of: 2)) { _ in } }
    try take(0)
    let count = Self.count { try? take(1) }
    guard count > 0 else {
      print("skipped: this system does not let one process step through another (ptrace)")
      return
    }
    try compare(count, network)
  }

  private func compare(_ count: Int, _ network: String) throws {
    var stored = try JSONDecoder().decode(
      [String: [String: Int]].self, from: Data(contentsOf: Self.file))
    if ProcessInfo.processInfo.environment["UPDATE_COUNTS"] != nil {
      stored[InstructionSet.name, default: [:]][network] = count
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try (encoder.encode(stored) + Data("\n".utf8)).write(to: Self.file)
      return
    }
    guard let bound = stored[InstructionSet.name]?[network] else {
      print("skipped: instruction_counts.json has no count for \(InstructionSet.name)")
      return
    }
    #expect(
      Double(count) <= Self.tolerance * Double(bound),
      "a step of \(network) takes \(count) instructions, \(bound) are stored; UPDATE_COUNTS=1 stores these"
    )
    if Double(count) < 0.9 * Double(bound) {
      print("a step of \(network) takes \(count) instructions, \(bound) are stored: store these")
    }
  }

  /// The instructions of `work`, which must not allocate.
  private static func count(_ work: @escaping () -> Void) -> Int {
    let box = Work(work)
    return withExtendedLifetime(box) {
      Int(
        count_instructions(
          { context in
            guard let context else { return }
            Unmanaged<Work>.fromOpaque(context).takeUnretainedValue().body()
          }, Unmanaged.passUnretained(box).toOpaque()))
    }
  }
}

private final class Work {
  let body: () -> Void

  init(_ body: @escaping () -> Void) {
    self.body = body
  }
}
