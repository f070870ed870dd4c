import Checkpoints
import Diagnostics
import Graph
import Kernels
import Optimizers
import Testing
import Training

/// What a checkpoint keeps of a run, by what a run restored from it does.
@Suite("Checkpoints of a run", .serialized)
struct CheckpointCodecTests {
  /// Averages, best weights, statistics and two optimizer slots: everything there is to keep.
  private func fullSpec() -> RunSpec {
    var spec = SmallRun.spec()
    spec.training.emaDecay = 0.9
    spec.training.earlyStopping = EarlyStoppingSpec(patience: 3)
    return spec
  }

  @Test("a restored replica has every bit and every counter of the saved one")
  func roundTrip() throws {
    var spec = fullSpec()
    spec.training.maxSteps = 27  // five steps into the third epoch
    let run = try SmallRun(spec)
    let replica = run.replica()
    let checkpoints = TemporaryCheckpoints()
    try run.train(replica, savingTo: checkpoints.folder)
    #expect(replica.counters.step == 27 && replica.counters.epochSamples == 5 * 16)
    #expect(replica.hasBest && replica.counters.bestStep != nil)

    let restored = try run.restored(from: checkpoints.folder)
    #expect(restored.counters == replica.counters)
    // The run ended by putting its best weights in place.
    restored.restoreBest()
    #expect(restored.bits == replica.bits)
    #expect(restored.bits["used"] != restored.bits["parameters"])
    #expect(Set(restored.bits.keys) == ["parameters", "statistics", "used", "adam_m", "adam_v"])
  }

  @Test(
    "a run that is cut in the middle of an epoch ends as if it had not been",
    arguments: [1, 10, 11, 25])
  func cutAnywhere(step: Int) throws {
    let whole = try SmallRun(fullSpec())
    let expected = whole.replica()
    try whole.train(expected)

    var first = whole
    first.spec.training.maxSteps = step
    let checkpoints = TemporaryCheckpoints()
    try first.train(first.replica(), savingTo: checkpoints.folder)
    let resumed = try whole.restored(from: checkpoints.folder)
    #expect(resumed.counters.step == step)
    try whole.train(resumed)
    #expect(resumed.counters == expected.counters)
    #expect(resumed.bits == expected.bits)
  }

  @Test("a run that has stopped early stays stopped when it is started again")
  func stopped() throws {
    var spec = fullSpec()
    spec.training.epochs = 60
    spec.training.earlyStopping = EarlyStoppingSpec(patience: 2)
    let run = try SmallRun(spec)
    let replica = run.replica()
    let checkpoints = TemporaryCheckpoints()
    try run.train(replica, savingTo: checkpoints.folder)
    try #require(replica.counters.hasStoppedEarly)
    let restored = try run.restored(from: checkpoints.folder)
    try run.train(restored)
    #expect(restored.counters == replica.counters)
    #expect(restored.bits == replica.bits)
  }

  @Test("the best weights are saved in a checkpoint that says so")
  func bestIsMarked() throws {
    let run = try SmallRun(fullSpec())
    let replica = run.replica()
    let checkpoints = TemporaryCheckpoints()
    try run.train(replica, savingTo: checkpoints.folder)
    let best = try #require(try checkpoints.folder.best().checkpoint)
    #expect(best.record.step == replica.counters.bestStep)
    #expect(best.record.bestMetric == replica.counters.stopping.best)
    #expect(best.record.normalizationStatistics == run.material.data.statistics)
    #expect(best.record.settings == ["seed": "4"] && best.record.resolvedConfig == "seed: 4\n")
  }

  @Test("tensors of another model are refused with what differs")
  func otherModel() throws {
    var spec = SmallRun.spec()
    spec.training.maxSteps = 1
    let run = try SmallRun(spec)
    let checkpoints = TemporaryCheckpoints()
    try run.train(run.replica(), savingTo: checkpoints.folder)
    let other = try SmallRun(
      SmallRun.spec([
        .dense(DenseSpec(units: 8)), .activation(.relu), .dense(DenseSpec(units: 2)),
      ]))
    let fault = try #require(throws: Diagnostic.self) {
      _ = try other.restored(from: checkpoints.folder)
    }
    #expect(
      fault.description == """
        step-00000001: the tensors are not those of this model; missing: layers.2.weight [2, 8], layers.2.bias [2]; not in the model: layers.1.bias [9], layers.1.running_mean [9], layers.1.running_var [9], layers.1.weight [9], layers.4.bias [2], layers.4.weight [2, 9]; of another shape: layers.0.weight is [9, 2] in the file, [8, 2] in the model, layers.0.bias is [9] in the file, [8] in the model
          expected: the 4 tensors of the configured model
          to fix:   restore the model's configuration, choose another output.folder, or start over with --fresh
        """)
  }
}
