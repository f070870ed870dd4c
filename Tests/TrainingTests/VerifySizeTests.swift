import Graph
import Testing
import Training

/// How much of a run is proven.
@Suite("Sizes of proofs")
struct VerifySizeTests {
  private func spec(input: [Int], _ layers: [LayerKind], shards: Int = 8) -> RunSpec {
    var spec = SmallRun.spec(layers)
    spec.model.input = input
    spec.training.batch = 16 * shards
    spec.training.shards = shards
    return spec
  }

  private func conv(_ filters: Int) -> LayerKind {
    var conv = Conv2DSpec(filters: filters, kernel: Extent(3))
    conv.padding = .same
    return .conv2d(conv)
  }

  @Test("a small network is proven as it is, on two or three samples for each shard")
  func small() throws {
    let size = try VerifySize(spec(input: [2], SmallRun.layers), ranks: 1)
    #expect(size.input == [2])
    #expect(size.shards == 8 && size.batch == 17 && size.capacity == 3)
    #expect(size.gradientSamples == 4 && size.lossEvaluations == 2000 && size.overfitSteps == 60)
    let applied = size.applied(to: spec(input: [2], SmallRun.layers))
    #expect(applied.training.shards == 8 && applied.training.batch == 24)
    #expect(applied.model == spec(input: [2], SmallRun.layers).model)
  }

  @Test("inputs of much work are halved as long as the layers allow it")
  func shrunk() throws {
    let layers = [conv(64), conv(64), conv(64), .globalAveragePool, .dense(DenseSpec(units: 10))]
    let size = try VerifySize(spec(input: [224, 224, 3], layers), ranks: 1)
    #expect(size.input == [28, 28, 3])
    // The pool needs 100 rows.
    let pooled =
      [conv(64), conv(64), conv(64), .maxPool(PoolSpec(size: Extent(100)))] + layers[3...]
    #expect(
      try VerifySize(spec(input: [224, 224, 3], pooled), ranks: 1).input == [112, 112, 3])
  }

  @Test("a job has at least a shard for every rank")
  func ranks() throws {
    let heavy = [LayerKind.dense(DenseSpec(units: 60_000)), .dense(DenseSpec(units: 60_000))]
    #expect(try VerifySize(spec(input: [10], heavy), ranks: 1).shards < 8)
    #expect(try VerifySize(spec(input: [10], heavy), ranks: 8).shards == 8)
  }

  @Test("batch norm over the whole batch is proven with one shard")
  func wholeBatchNorm() throws {
    var whole = spec(input: [2], SmallRun.layers)
    whole.model.batchNormStatistics = .batch
    let size = try VerifySize(whole, ranks: 2)
    #expect(size.shards == 1 && size.batch == 3)
  }

  @Test("a layer that does not fit is named")
  func misfit() {
    #expect(throws: (any Error).self) {
      try VerifySize(spec(input: [4, 4, 1], [.maxPool(PoolSpec(size: Extent(5)))]), ranks: 1)
    }
  }
}
