import Optimizers
import Testing

@Suite("The learning rate of other batches")
struct BatchScalingTests {
  @Test(
    "the rate follows the batch by the rule",
    arguments: [
      (BatchScaling(), 512, 1.0), (BatchScaling(rule: .none, baseBatch: 64), 512, 1),
      (BatchScaling(rule: .linear, baseBatch: 64), 512, 8),
      (BatchScaling(rule: .linear, baseBatch: 64), 32, 0.5),
      (BatchScaling(rule: .squareRoot, baseBatch: 128), 512, 2),
      (BatchScaling(rule: .squareRoot, baseBatch: 128), 128, 1),
    ])
  func factor(scale: BatchScaling, batch: Int, expected: Double) {
    #expect(scale.factor(batch: batch) == expected)
  }

  private func schedule(
    _ scale: BatchScaling, batch: Int, warmup: Warmup = .steps(4),
    shape: ScheduleShape = .constant
  ) -> LearningRateSchedule {
    var optimizer = OptimizerSpec(rule: .sgd, learningRate: 0.25)
    optimizer.scale = scale
    var spec = ScheduleSpec(shape)
    spec.warmup = warmup
    return LearningRateSchedule(
      spec, optimizer: optimizer, batch: batch, stepsPerEpoch: 4, totalSteps: 20)
  }

  @Test("warm-up rises by equal amounts from the unscaled rate to the scaled one")
  func gradual() {
    let rates = schedule(BatchScaling(rule: .linear, baseBatch: 64), batch: 256)
    #expect((0..<6).map { rates.rate(atStep: $0) } == [0.25, 0.4375, 0.625, 0.8125, 1, 1])
    let spanning = schedule(
      BatchScaling(rule: .linear, baseBatch: 64), batch: 256, shape: .cosine(final: 0))
    #expect(spanning.rate(atStep: 0) == 0.25 && spanning.rate(atStep: 4) == 1)
  }

  @Test("a rate that is not raised warms up from zero as without a rule")
  func lowered() {
    let rates = schedule(BatchScaling(rule: .linear, baseBatch: 64), batch: 32)
    #expect((0..<5).map { rates.rate(atStep: $0) } == [0.03125, 0.0625, 0.09375, 0.125, 0.125])
    let same = schedule(BatchScaling(rule: .squareRoot, baseBatch: 64), batch: 64)
    #expect(same == schedule(BatchScaling(), batch: 64))
  }

  @Test("without warm-up the first step has the scaled rate")
  func noWarmup() {
    let rates = schedule(BatchScaling(rule: .squareRoot, baseBatch: 64), batch: 256, warmup: .none)
    #expect(rates.rate(atStep: 0) == 0.5)
  }
}
