import Diagnostics
import Engine
import Metrics

/// Everything a user sees while training: progress, rows of the epoch table, `metrics.jsonl`.
///
/// Only rank 0 has one.
package final class RunJournal {
  package let display: ProgressDisplay
  package let log: MetricsLog
  private let label: MetricLabel
  private let length: RunLength
  private let onFailure: SaveFailure
  private var table: EpochTable
  private var newest: (step: Int, time: ContinuousClock.Instant)
  private var recorded: (step: Int, time: ContinuousClock.Instant)

  package init(
    display: ProgressDisplay, log: MetricsLog, label: MetricLabel, length: RunLength,
    onFailure: SaveFailure, firstStep: Int
  ) {
    self.display = display
    self.log = log
    self.label = label
    self.length = length
    self.onFailure = onFailure
    table = EpochTable(label)
    newest = (firstStep, .now)
    recorded = newest
  }

  /// Steps between two lines of the log: about twenty per epoch.
  private var logInterval: Int { max(1, length.stepsPerEpoch / 20) }

  /// After a step: shows it and logs it, if it is time.
  ///
  /// - Parameter terms: What the loss is the sum of, where there are several losses.
  func note(
    _ result: StepResult, terms: [Double], counters: RunCounters, learningRate: Double
  ) throws {
    let now = ContinuousClock.now
    if display.isDue(at: now) {
      display.show(progress(counters, at: now, since: newest), at: now)
      newest = (counters.step, now)
    }
    guard counters.step / logInterval > recorded.step / logInterval else { return }
    let steps = max(1, counters.step - recorded.step)
    let elapsed = now - recorded.time
    try append(
      StepRecord(
        step: counters.step, epoch: fraction(counters.step), loss: result.loss,
        lossTerms: terms, metric: result.accuracy, learningRate: learningRate,
        samplesPerSecond: Double(steps * length.batch) / max(elapsed.seconds, 1e-9),
        gradientNorm: result.gradientNorm, stepTime: elapsed / steps))
    recorded = (counters.step, now)
  }

  /// After an epoch: prints its row, and below it the rank that held up the others; logs both.
  func note(_ record: EpochRecord, _ times: RankTimes, slownessLine: String?) throws {
    display.printLines(table.lines(for: record) + (slownessLine.map { [$0] } ?? []))
    try append(record)
    try append(TimeRecord(step: record.step, epoch: record.epoch, times: times))
  }

  /// A line that cannot be written ends the run or not, as a failed save does.
  func append(_ record: some MetricsRecord) throws {
    do {
      try log.append(record)
    } catch let fault as Diagnostic where onFailure == .continue {
      display.printLines(["warning: \(fault)"])
    }
  }

  private func progress(
    _ counters: RunCounters, at now: ContinuousClock.Instant,
    since: (step: Int, time: ContinuousClock.Instant)
  ) -> TrainingProgress {
    let samples = Double((counters.step - since.step) * length.batch)
    let means = counters.epochMeans
    return TrainingProgress(
      epoch: fraction(counters.step), epochCount: length.epochs, step: counters.step,
      stepCount: length.lastStep, loss: means.loss,
      metric: label == .accuracy ? means.accuracy : nil,
      samplesPerSecond: samples / max((now - since.time).seconds, 1e-9))
  }

  private func fraction(_ step: Int) -> Double {
    Double(step) / Double(length.stepsPerEpoch)
  }
}
