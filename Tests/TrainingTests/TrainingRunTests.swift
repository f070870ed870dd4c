import Diagnostics
import Graph
import Optimizers
import Testing
import Training

@Suite("Training runs")
struct TrainingRunTests {
  @Test("a network learns the moons")
  func learns() throws {
    var spec = SmallRun.spec()
    spec.training.epochs = 30
    let run = try SmallRun(spec)
    let replica = run.replica()
    let training = try run.train(replica)
    #expect(replica.counters.step == 30 * 11)
    let dev = try #require(run.material.data.dev)
    let accuracy = try #require(try training.evaluate(dev).accuracy)
    #expect(accuracy > 0.85, "\(accuracy)")
  }

  @Test("early stopping ends the run and leaves the best weights")
  func earlyStopping() throws {
    var spec = SmallRun.spec()
    spec.training.epochs = 60
    spec.training.earlyStopping = EarlyStoppingSpec(patience: 2)
    let run = try SmallRun(spec)
    let replica = run.replica()
    let training = try run.train(replica)
    #expect(replica.counters.hasStoppedEarly)
    let best = try #require(replica.counters.bestStep)
    // Two evaluations, one per epoch of eleven steps, without a better one.
    #expect(replica.counters.step == best + 2 * 11)
    let dev = try #require(run.material.data.dev)
    #expect(try training.evaluate(dev).accuracy == replica.counters.stopping.best)

    // The same weights as those of a run that ends at that step.
    spec.training.maxSteps = best
    let short = try SmallRun(spec)
    let shortReplica = short.replica()
    try short.train(shortReplica)
    #expect(shortReplica.bits["parameters"] == replica.bits["parameters"])
    #expect(shortReplica.bits["statistics"] == replica.bits["statistics"])
  }

  @Test("the average of the weights is what evaluation uses, and lags behind them")
  func average() throws {
    var spec = SmallRun.spec()
    spec.training.epochs = 1
    let plain = try SmallRun(spec)
    let plainReplica = plain.replica()
    try plain.train(plainReplica)
    spec.training.emaDecay = 0.999
    let averaged = try SmallRun(spec)
    let replica = averaged.replica()
    let training = try averaged.train(replica)
    // Averaging does not touch the training itself.
    #expect(replica.bits["parameters"] == plainReplica.bits["parameters"])
    #expect(replica.bits["used"] != plainReplica.bits["used"])
    let dev = try #require(averaged.material.data.dev)
    let losses = try [training, plain.train(plainReplica)].map { try $0.evaluate(dev).loss }
    #expect(losses[0] != losses[1])
  }

  @Test("a learning rate beyond all bounds ends the run with the layer that went bad first")
  func divergence() throws {
    var spec = SmallRun.spec([
      .dense(DenseSpec(units: 9)), .activation(.relu), .dense(DenseSpec(units: 2)),
    ])
    spec.optimizer = OptimizerSpec(rule: .sgd, learningRate: 1e30)
    spec.schedule = ScheduleSpec(.constant)
    let run = try SmallRun(spec)
    let fault = try #require(throws: (any Error).self) { try run.train(run.replica()) }
    #expect(
      "\(fault)" == """
        step 1: the loss is nan; layers.2 (dense) went bad first; nothing was updated
          expected: finite numbers
          to fix:   lower optimizer.learning_rate, add warm-up, or set training.clip_norm; check the data for extreme values
        """)
  }
}
