import Checkpoints
import Datasets
import Diagnostics
import Metrics

/// Decides when a checkpoint is saved, and saves it; rank 0 only.
package final class CheckpointKeeper {
  private let saver: BackgroundSaver
  private let spec: RunSpec
  private let codec: CheckpointCodec
  private let warn: (Diagnostic) -> Void
  private var lastSave = ContinuousClock.now
  private var savedStep: Int?

  /// - Parameters:
  ///   - savedStep: The step of the checkpoint that the run resumed from.
  ///   - warn: Tells the user of a save that failed while the run goes on.
  package init(
    folder: CheckpointFolder, spec: RunSpec, codec: CheckpointCodec, savedStep: Int?,
    warn: @escaping (Diagnostic) -> Void
  ) {
    saver = BackgroundSaver(folder: folder, keep: spec.checkpoint.keep)
    self.spec = spec
    self.codec = codec
    self.savedStep = savedStep
    self.warn = warn
  }

  /// Saves when `checkpoint.every_seconds` have passed since the last save.
  func saveIfDue(_ replica: Replica, activity: RankActivity) throws {
    let due = lastSave + .seconds(spec.checkpoint.everySeconds)
    if ContinuousClock.now >= due { try save(replica, isBest: false, activity: activity) }
  }

  /// Saves the best weights so far as soon as they are known.
  func saveBest(_ replica: Replica, activity: RankActivity) throws {
    try save(replica, isBest: true, activity: activity)
  }

  /// Saves where the run ends, if that is not saved yet, and waits until it is on the disk.
  func saveLast(_ replica: Replica, activity: RankActivity) throws {
    if savedStep != replica.counters.step { try save(replica, isBest: false, activity: activity) }
    let previous = activity.begin(.checkpoint)
    defer { activity.begin(previous) }
    try handle(saver.waitSave(), activity)
  }

  private func save(_ replica: Replica, isBest: Bool, activity: RankActivity) throws {
    let previous = activity.begin(.checkpoint)
    defer { activity.begin(previous) }
    let report = saver.startSave(codec.record(of: replica, isBest: isBest), replica.payload())
    savedStep = replica.counters.step
    lastSave = .now
    try handle(report, activity)
  }

  private func handle(_ report: BackgroundSaver.Report?, _ activity: RankActivity) throws {
    if let report {
      let start = MonotonicInstant.now + (report.writeStart - .now)
      activity.noteWrite(from: start, to: start + report.writeDuration)
    }
    guard let failure = report?.failure else { return }
    switch spec.checkpoint.onFailure {
    case .stop: throw failure
    case .continue: warn(failure)
    }
  }
}
