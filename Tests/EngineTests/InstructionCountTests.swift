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

  /// Small, since every instruction is a round trip to the system.
  private static let layers: [LayerKind] = {
    var conv = Conv2DSpec(filters: 8, kernel: Extent(3))
    conv.padding = .same
    return [
      .conv2d(conv), .batchNorm(BatchNormSpec()), .activation(.relu),
      .maxPool(PoolSpec(size: Extent(2))), .flatten(.channelsFirst),
      .dense(DenseSpec(units: 24)), .activation(.gelu), .layerNorm(LayerNormSpec()),
      .dropout(rate: 0.3), .dense(DenseSpec(units: 10)),
    ]
  }()

  @Test("are no more than stored")
  func noMore() throws {
    let step = try SmallStep(
      input: [4, 4, 2], Self.layers, batch: 2, shards: 1,
      rule: .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8))
    step.load(0..<2)
    func take(_ number: Int) throws { _ = try step.steps.run(step.batch(number, of: 2)) { _ in } }
    try take(0)
    let count = Self.count { try? take(1) }
    guard count > 0 else {
      print("skipped: this system does not let one process step through another (ptrace)")
      return
    }
    try compare(count)
  }

  private func compare(_ count: Int) throws {
    var stored = try JSONDecoder().decode(
      [String: Int].self, from: Data(contentsOf: Self.file))
    if ProcessInfo.processInfo.environment["UPDATE_COUNTS"] != nil {
      stored[InstructionSet.name] = count
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      try (encoder.encode(stored) + Data("\n".utf8)).write(to: Self.file)
      return
    }
    guard let bound = stored[InstructionSet.name] else {
      print("skipped: instruction_counts.json has no count for \(InstructionSet.name)")
      return
    }
    #expect(
      Double(count) <= Self.tolerance * Double(bound),
      "a step takes \(count) instructions, \(bound) are stored; UPDATE_COUNTS=1 stores these"
    )
    if Double(count) < 0.9 * Double(bound) {
      print("a step takes \(count) instructions, \(bound) are stored: store these")
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
