import CAllocationCount
import Engine
import Graph
import Testing

@Suite("Several micro-shards in one pass")
struct PassTests {
  private static let networks: [[LayerKind]] = {
    var conv = Conv2DSpec(filters: 5, kernel: Extent(3))
    conv.padding = .same
    var lstm = RecurrentSpec(cell: .lstm, units: 9)
    lstm.outputs = .last
    var carrying = lstm
    (carrying.carriesState, carrying.layers) = (true, 2)
    return [
      [
        .flatten(.channelsLast), .dense(DenseSpec(units: 40)), .layerNorm(LayerNormSpec()),
        .activation(.relu), .dropout(rate: 0.3), .dense(DenseSpec(units: 33)), .activation(.gelu),
        .dense(DenseSpec(units: 4)),
      ],
      [
        .conv2d(conv), .activation(.relu), .maxPool(PoolSpec(size: Extent(2))),
        .flatten(.channelsFirst), .dense(DenseSpec(units: 4)),
      ],
      [.reshape([8, 8]), .recurrent(lstm), .dense(DenseSpec(units: 4))],
      [.reshape([8, 8]), .recurrent(carrying), .dense(DenseSpec(units: 4))],
      [
        .reshape([8, 8]), .attention(AttentionSpec(heads: 2)), .dense(DenseSpec(units: 6)),
        .flatten(.channelsLast), .dense(DenseSpec(units: 4)),
      ],
      SmallStep.layers,
      [
        .flatten(.channelsLast), .dense(DenseSpec(units: 12)), .dense(DenseSpec(units: 12)),
        .batchNorm(BatchNormSpec()), .activation(.tanh), .shared(layer: "twice"),
        .batchNorm(BatchNormSpec()), .shared(layer: "twice"), .dense(DenseSpec(units: 9)),
        .activation(.relu), .dense(DenseSpec(units: 4)),
      ],
    ]
  }()

  /// What is shared and what is frozen in the last network.
  private static func step(
    _ network: Int, shardsPerPass: Int = 1
  ) throws -> SmallStep {
    let isLast = network == networks.count - 1
    return try SmallStep(
      networks[network], batch: 24, shards: 8, names: isLast ? [2: "twice"] : [:],
      frozen: isLast ? [8] : [], shardsPerPass: shardsPerPass)
  }

  @Test(
    "the same bits as one after the other, small batches included", arguments: networks.indices,
    [2, 3, 8])
  func sameBits(network: Int, shardsPerPass: Int) throws {
    let alone = try Self.step(network)
    let together = try Self.step(network, shardsPerPass: shardsPerPass)
    #expect(alone.plan.shardsPerPass == 1 && together.plan.shardsPerPass == shardsPerPass)
    for (step, count) in [24, 24, 13, 3, 1, 24].enumerated() {
      let requests: StepRequests = step == 2 ? .checkpoint : []
      let results = try [alone, together].map { try $0.take(step, of: count, requests: requests) }
      #expect(results[0].loss == results[1].loss, "step \(step)")
      #expect(results[0].accuracy == results[1].accuracy)
      #expect(results[0].gradientNorm == results[1].gradientNorm)
      #expect(results.allSatisfy { $0.requests == requests })
      let same = alone.bits == together.bits
      #expect(same, "step \(step)")
    }
  }

  @Test("nothing is allocated, nor with a small batch", arguments: networks.indices)
  func allocations(network: Int) throws {
    let step = try Self.step(network, shardsPerPass: 3)
    func take(_ number: Int) throws {
      _ = try step.steps.run(
        step.batch(number, of: number % 5 == 0 ? 10 : 24), load: { _ in })
    }
    step.load(0..<9)
    try take(0)
    let before = allocation_count_of_thread()
    for number in 1...10 { try take(number) }
    let count = allocation_count_of_thread() - before
    #expect(count == 0, "\(count) allocations in 10 steps")
  }
}
