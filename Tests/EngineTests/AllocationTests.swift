import CAllocationCount
import Datasets
import Engine
import Foundation
import Graph
import Metrics
import Optimizers
import Storage
import Testing

@Suite("Allocations")
struct AllocationTests {
  @Test(
    "a training step allocates nothing after the first, loading included, with a timeline or without",
    arguments: [
      UpdateRule.adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8), .lars(momentum: 0.9, trust: 0.01),
      .lamb(beta1: 0.9, beta2: 0.999, epsilon: 1e-6),
    ], [false, true])
  func step(rule: UpdateRule, keepsTimeline: Bool) throws {
    let trace = keepsTimeline ? TraceBuffer(capacity: 1000) : nil
    let data = try images()
    let step = try SmallStep(
      batch: 24, shards: 4, rule: rule, limits: GradientLimits(norm: 1, value: 0.5),
      activity: RankActivity(trace: trace))
    let loader = BatchLoader<Float>(
      part: data.train, statistics: data.statistics, augmentation: data.augmentation)
    let engine = step.steps.engine
    let order: any SampleOrder = EpochOrder(count: data.train.count, seed: 3, epoch: 0)
    let load = { (positions: Range<Int>) in
      loader.loadInputs(
        positions, order: order, epoch: 0, into: engine.input.prefix(positions.count * 64))
      loader.loadClasses(positions, order: order, into: engine.classes.prefix(positions.count))
    }
    _ = try step.steps.run(step.batch(0, of: 24), load: load)
    let before = allocation_count_of_thread()
    var norm = 0.0
    // Every fifth step has fewer samples, as an epoch's last.
    for number in 1...20 {
      norm += try step.steps.run(step.batch(number, of: number % 5 == 0 ? 10 : 24), load: load)
        .gradientNorm
    }
    let count = allocation_count_of_thread() - before
    #expect(count == 0, "\(count) allocations in 20 steps")
    #expect(norm.isFinite && norm > 0)
    #expect(trace?.droppedCount ?? 1 > 0)
  }

  @Test("steps of sequences of other lengths allocate nothing after the first of each length")
  func lengths() throws {
    let step = try SmallStep(
      input: [12, 3],
      [
        .masking(value: 0), .recurrent(RecurrentSpec(cell: .lstm, units: 5)), .lastStep,
        .dense(DenseSpec(units: 4)),
      ], shorter: [3, 7], batch: 24, shards: 4, shardsPerPass: 2)
    let load = step.load
    for bucket in 0..<3 {
      _ = try step.steps.run(step.batch(bucket, of: 24, lengthBucket: bucket), load: load)
      #expect(step.steps.engine.plan.graph.inputShape[0] == [3, 7, 12][bucket])
    }
    let before = allocation_count_of_thread()
    for number in 3...20 {
      let batch = step.batch(number, of: 24, lengthBucket: number * 7 % 3)
      _ = try step.steps.run(batch, load: load)
    }
    let count = allocation_count_of_thread() - before
    #expect(count == 0, "\(count) allocations in 18 steps")
  }

  @Test("layers of image networks allocate nothing, forward and backward")
  func imageLayers() throws {
    for example in GradientCheckTests.imageCases {
      let network = try SmallNetwork(
        input: example.input, example.layers, loss: GradientCheckTests.softmax)
      network.expectNoAllocations(of: example.testDescription)
    }
  }

  @Test("a forward pass for evaluation allocates nothing")
  func inference() throws {
    let network = try ForwardPass<Float>(SmallStep.images, SmallStep.layers, capacity: 6)
    _ = network.run(6)
    let before = allocation_count_of_thread()
    for _ in 0..<20 {
      network.engine.beginShard(rows: 6, batchSize: 6, step: 0, firstSample: 0, leaf: nil)
      network.engine.runInference()
    }
    let count = allocation_count_of_thread() - before
    #expect(count == 0, "\(count) allocations in 20 passes")
  }

  /// 40 images of 8 x 8 whose pixels count up from 0, shifted and mirrored at random.
  private func images() throws -> LoadedData {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("engine-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let pixels = (0..<40 * 64).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    let paths = ["images", "labels"].map { folder.appendingPathComponent($0) }
    try Data([0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 8, 0, 0, 0, 8] + pixels).write(to: paths[0])
    try Data([0, 0, 8, 1, 0, 0, 0, 40] + (0..<40).map { $0 % 4 }).write(to: paths[1])
    var spec = DataSpec(
      source: .idx(
        train: ArrayFiles(inputs: paths[0].path, targets: paths[1].path), dev: nil, test: nil))
    spec.normalization = .standardize
    spec.augment = AugmentSpec(flipHorizontal: true, shift: 2)
    let cache = DataCache(folders: [folder.appendingPathComponent("cache").path])
    try LoadedData.prepare(spec, seed: 1, outputs: 4, cache: cache)
    return try LoadedData.open(spec, seed: 1, outputs: 4, cache: cache)
  }
}

extension SmallNetwork {
  /// Expects that no operation allocates once it has run.
  func expectNoAllocations(of name: String) {
    run()
    engine.beginShard(rows: 4, batchSize: 5, step: 1, firstSample: 1, leaf: leaf.block)
    for (index, operation) in plan.graph.operations.enumerated() {
      let before = allocation_count_of_thread()
      engine.run(index)
      let count = allocation_count_of_thread() - before
      #expect(count == 0, "\(name), \(operation.kind.name): \(count) allocations")
    }
  }
}
