import Optimizers
import Testing

/// A schedule over 20 steps, 4 to an epoch, base rate 0.1, and the name of its PyTorch twin.
struct ScheduleCase: Sendable, CustomStringConvertible {
  let name: String
  let shape: ScheduleShape
  var warmup = Warmup.none

  var description: String { name }

  var schedule: LearningRateSchedule {
    var spec = ScheduleSpec(shape)
    spec.warmup = warmup
    return LearningRateSchedule(spec: spec, base: 0.1, stepsPerEpoch: 4, totalSteps: 20)
  }
}

@Suite("Learning rate schedules")
struct LearningRateScheduleTests {
  static let cases = [
    ScheduleCase(name: "constant", shape: .constant),
    ScheduleCase(name: "step", shape: .step(everyEpochs: 2, factor: 0.3)),
    ScheduleCase(name: "exponential", shape: .exponential(factor: 0.5)),
    ScheduleCase(name: "inverseTime", shape: .inverseTime(rate: 0.7)),
    ScheduleCase(name: "polynomial", shape: .polynomial(power: 2, final: 0)),
    ScheduleCase(name: "cosine", shape: .cosine(final: 0)),
    ScheduleCase(name: "cosineToFinal", shape: .cosine(final: 0.2)),
    ScheduleCase(
      name: "oneCycle", shape: .oneCycle(warmupFraction: 0.3, start: 1 / 25, final: 1 / 25 / 4)),
    ScheduleCase(
      name: "oneCycleOddRise", shape: .oneCycle(warmupFraction: 0.37, start: 0.1, final: 1e-5)),
    ScheduleCase(name: "cosineAfterWarmup", shape: .cosine(final: 0), warmup: .steps(5)),
    ScheduleCase(
      name: "polynomialAfterWarmup", shape: .polynomial(power: 1, final: 0),
      warmup: .fraction(0.25)),
  ]

  // PyTorch multiplies its rates up from step to step: 20 roundings.
  @Test("every shape equals PyTorch's", arguments: cases)
  func golden(_ item: ScheduleCase) throws {
    let expected = try #require(goldenSchedules[item.name])
    for (step, rate) in expected.enumerated() {
      let found = item.schedule.rate(atStep: step)
      #expect(abs(found - rate) < 1e-14, "\(item.name), step \(step): \(found), not \(rate)")
    }
  }

  @Test("every golden schedule has a case")
  func complete() {
    #expect(Set(goldenSchedules.keys) == Set(Self.cases.map(\.name)))
  }

  @Test("the warm-up starts above zero and ends at the full rate")
  func warmupEnds() {
    let schedule = ScheduleCase(name: "", shape: .constant, warmup: .steps(4)).schedule
    #expect((0..<6).map { schedule.rate(atStep: $0) } == [0.025, 0.05, 0.1 * 0.75, 0.1, 0.1, 0.1])
  }

  @Test("a shape that follows epochs does not wait for the warm-up")
  func warmupAndEpochs() {
    let schedule = ScheduleCase(
      name: "", shape: .step(everyEpochs: 1, factor: 0.5), warmup: .steps(5)
    ).schedule
    #expect(schedule.rate(atStep: 4) == 0.05)
    #expect(schedule.rate(atStep: 8) == 0.025)
  }

  @Test("a warm-up as a fraction is of the whole run, rounded")
  func warmupFraction() {
    #expect(
      ScheduleCase(name: "", shape: .constant, warmup: .fraction(0.33)).schedule.warmupSteps == 7)
  }

  @Test(
    "stairs of a fraction of an epoch start at whole steps",
    arguments: [(0.7, 10, 7), (0.01, 10, 1)])
  func stairs(everyEpochs: Double, stepsPerEpoch: Int, stair: Int) {
    let schedule = LearningRateSchedule(
      spec: ScheduleSpec(.step(everyEpochs: everyEpochs, factor: 0.5)), base: 1,
      stepsPerEpoch: stepsPerEpoch, totalSteps: 40)
    #expect(schedule.rate(atStep: stair - 1) == 1)
    #expect(schedule.rate(atStep: stair) == 0.5)
  }

  @Test("a polynomial ends at its final factor")
  func polynomialFinal() {
    let schedule = ScheduleCase(name: "", shape: .polynomial(power: 2, final: 0.25)).schedule
    #expect(schedule.rate(atStep: 10) == 0.1 * (0.25 + 0.75 * 0.25))
    #expect(schedule.rate(atStep: 20) == 0.1 * 0.25)
  }

  @Test("the shortest run and steps past the end have a finite rate", arguments: cases)
  func extremes(_ item: ScheduleCase) {
    var spec = ScheduleSpec(item.shape)
    spec.warmup = item.warmup
    let short = LearningRateSchedule(spec: spec, base: 0.1, stepsPerEpoch: 1, totalSteps: 1)
    for rate in [
      short.rate(atStep: 0), item.schedule.rate(atStep: 20), item.schedule.rate(atStep: 999),
    ] {
      #expect(rate.isFinite && rate >= 0 && rate <= 0.1)
    }
  }

  @Test("a one-cycle whose rise is one step starts at the top")
  func shortRise() {
    let schedule = ScheduleCase(
      name: "", shape: .oneCycle(warmupFraction: 0.05, start: 0.1, final: 0)
    ).schedule
    #expect(schedule.rate(atStep: 0) == 0.1)
    #expect(schedule.rate(atStep: 19) == 0)
  }
}
