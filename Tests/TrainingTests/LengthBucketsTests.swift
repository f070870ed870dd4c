import Datasets
import Diagnostics
import Foundation
import Graph
import Metrics
import Optimizers
import Testing
import Training

@Suite("Batches of sequences of about the same length")
struct LengthBucketsTests {
  /// 250 tagged sequences of 5 to 20 steps, of them 37 for dev, in steps of 16: an epoch has fourteen, the last of five.
  private func spec(
    _ buckets: [Int], _ layers: [LayerKind] = LengthBucketsTests.layers
  ) -> RunSpec {
    var spec = SmallRun.spec()
    var data = DataSpec(
      source: .generatedSequences(
        GeneratedSequencesSpec(kind: .paddedTags, samples: 250, steps: 20)))
    data.dev = .count(37, stratified: false)
    data.ignoredClass = -1
    data.lengthBuckets = buckets
    spec.data = data
    spec.model = ModelSpec(input: [20], layers: layers.map { LayerSpec($0, place: "net.yaml:3:7") })
    spec.loss = .softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil, ignored: -1)
    return spec
  }

  private static let layers: [LayerKind] = {
    var lstm = RecurrentSpec(cell: .lstm, units: 9)
    lstm.isBidirectional = true
    return [
      .masking(value: 0), .embedding(EmbeddingSpec(vocabulary: 21, units: 8)), .recurrent(lstm),
      .dense(DenseSpec(units: 3)),
    ]
  }()

  @Test("samples are measured as masking measures them")
  func lengths() throws {
    let run = try SmallRun(spec([8, 12, 20]))
    let buckets = try #require(run.material.lengthBuckets(run.spec))
    let train = run.material.data.train
    let lengths = (0..<train.count).map { position in
      train.dataset.inputs(of: train.sample(at: position)).count { $0 != 0 }
    }
    #expect(buckets == LengthBuckets(ends: [8, 12, 20], lengths: lengths))
    #expect(buckets.counts.allSatisfy { $0 > 16 })
    #expect(try SmallRun(spec([])).material.lengthBuckets(spec([])) == nil)
  }

  @Test("an epoch judges every sample as at the padded length")
  func loss() throws {
    var spec = spec([6, 8, 12, 20])
    spec.optimizer = OptimizerSpec(rule: .sgd, learningRate: 0)
    spec.training.epochs = 1
    let run = try SmallRun(spec)
    let files = TemporaryCheckpoints()
    let log = try files.file("metrics.jsonl")
    let training = try run.train(run.replica(), loggingTo: log)
    let padded = try training.evaluate(run.material.data.train)
    let lines = try String(contentsOfFile: log, encoding: .utf8).split(separator: "\n")
    let epoch = try #require(lines.last { $0.contains("\"epoch\",") })
    let record = try #require(
      JSONSerialization.jsonObject(with: Data(epoch.utf8)) as? [String: Any])
    let loss = try #require(record["train_loss"] as? Double)
    #expect(abs(loss - padded.loss) < 1e-6 * padded.loss, "\(loss), not \(padded.loss)")
    let accuracy = try #require(record["train_metric"] as? Double)
    #expect(try abs(accuracy - #require(padded.accuracy)) < 1e-6)
  }

  @Test(
    "a run that is cut anywhere in an epoch goes on with the same batches",
    arguments: [1, 9, 14, 20])
  func resume(step: Int) throws {
    var spec = spec([8, 12, 20])
    spec.training.epochs = 2
    let whole = try SmallRun(spec)
    let replica = whole.replica()
    try whole.train(replica)
    #expect(replica.counters.step == 28)
    let files = TemporaryCheckpoints()
    spec.training.maxSteps = step
    let start = try SmallRun(spec)
    try start.train(start.replica(), savingTo: files.folder)
    spec.training.maxSteps = nil
    let rest = try SmallRun(spec)
    let resumed = try rest.restored(from: files.folder)
    #expect(resumed.counters.step == step)
    try rest.train(resumed)
    #expect(resumed.bits == replica.bits)
    // Other batches than without buckets.
    let plain = try SmallRun(self.spec([]))
    let other = plain.replica()
    try plain.train(other)
    #expect(other.bits["parameters"] != replica.bits["parameters"])
  }

  @Test("layers made for one number of steps are refused in a sentence")
  func refused() {
    let lstm = RecurrentSpec(cell: .lstm, units: 9)
    #expect(
      throws: Diagnostic(
        place: "net.yaml:3:7",
        problem:
          "layers.1 (reshape) cannot turn an input of shape [8] into [20, 1], with the 8 steps of a bucket",
        expected: "a layer that takes any number of steps, with data.buckets",
        remedy: "change this layer, or remove data.buckets")
    ) {
      try ModelPlans(
        spec(
          [8, 20],
          [.masking(value: 0), .reshape([20, 1]), .recurrent(lstm), .dense(DenseSpec(units: 3))]))
    }
  }

  @Test("padding of two numbers is refused")
  func twoPaddings() {
    #expect(
      throws: Diagnostic(
        place: "data.buckets", problem: "layers look for padding of 2 different numbers",
        expected: "one number that stands for padding",
        remedy: "give every masking the same value, or remove data.buckets")
    ) {
      try ModelPlans(spec([8, 20], [.masking(value: 1)] + Self.layers))
    }
  }

  @Test(
    "the memory is that of the largest plan, also where short sequences go through in larger passes"
  )
  func memory() throws {
    let plans = try ModelPlans(spec([5, 20]))
    #expect(plans.shorter.count == 1)
    #expect(plans.shorter[0].graph.inputShape == [5])
    #expect(plans.shorter[0].shardsPerPass >= plans.training.shardsPerPass)
    #expect(
      plans.arenaCount
        == [plans.training, plans.evaluation, plans.shorter[0]].map(\.arena.count).max())
  }
}
