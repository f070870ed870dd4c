import Diagnostics
import Optimizers

extension RunLength {
  /// The learning rate of every step of a run of this length.
  package func learningRates(_ spec: RunSpec) -> LearningRateSchedule {
    LearningRateSchedule(
      spec.schedule, optimizer: spec.optimizer, batch: batch, stepsPerEpoch: stepsPerEpoch,
      totalSteps: totalSteps)
  }

  /// Refuses a warm-up that is longer than the run, which would never reach the rate that was asked for.
  ///
  /// - Parameter place: Where `schedule.warmup_steps` is written.
  package func checkWarmup(of schedule: ScheduleSpec, place: String) throws {
    guard case .steps(let steps) = schedule.warmup, steps > totalSteps else { return }
    throw Diagnostic(
      place: place,
      problem: "schedule.warmup_steps is \(steps), but the whole run has \(totalSteps) steps",
      expected: "at most \(totalSteps): \(epochs) x \(stepsPerEpoch) steps of an epoch",
      remedy: "use \(max(1, totalSteps / 20)) or so, or raise training.epochs")
  }
}
