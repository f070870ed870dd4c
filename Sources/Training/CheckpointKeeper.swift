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
  /// Where the run stood at the newest save.
  private var saved: RunCounters?
  private var hasFailed = false
  /// The longest that a save has taken, from the copy to the disk.
  private var longestSave = Duration.zero

  /// - Parameters:
  ///   - saved: Where the checkpoint stands that the run resumed from.
  ///   - beginSave: What the saving thread does first.
  ///   - warn: Tells the user of a save that failed while the run goes on.
  package init(
    folder: CheckpointFolder, spec: RunSpec, codec: CheckpointCodec, saved: RunCounters?,
    beginSave: @escaping @Sendable () -> Void = {}, warn: @escaping (Diagnostic) -> Void
  ) {
    saver = BackgroundSaver(folder: folder, keep: spec.checkpoint.keep, begin: beginSave)
    self.spec = spec
    self.codec = codec
    self.saved = saved
    self.warn = warn
  }

  /// Whether it is time for the next save, and the last one is on the disk.
  var isSaveDue: Bool {
    saver.saveCount == 0
      && ContinuousClock.now
        >= lastSave + Self.interval(spec.checkpoint, longestSave: longestSave)
  }

  /// From one save to the next: what the config says, but at least four times what a save takes, so that a
  /// large model or a slow disk does not have the thread that saves beside the training all the time.
  package static func interval(_ spec: CheckpointSpec, longestSave: Duration) -> Duration {
    max(.seconds(spec.everySeconds), longestSave * 4)
  }

  /// How long it may take until a save that is asked for now is on the disk.
  var expectedDuration: Duration { longestSave * (1 + saver.saveCount) }

  /// Takes in what became of earlier saves; between steps.
  func poll(_ activity: RankActivity) throws {
    while let report = saver.pollSave() { try handle(report, activity) }
  }

  /// Saves what was due, unless this very point is saved already.
  ///
  /// - Parameter rest: What only the ranks together have of the state.
  func saveDue(_ replica: Replica, rest: [NamedTensor], activity: RankActivity) throws {
    if saved != replica.counters {
      try save(replica, rest: rest, isBest: false, activity: activity)
    }
  }

  /// Saves the best weights so far as soon as they are known.
  func saveBest(_ replica: Replica, rest: [NamedTensor], activity: RankActivity) throws {
    try save(replica, rest: rest, isBest: true, activity: activity)
  }

  /// Saves where the run ends, if that is not saved yet, and waits until it is on the disk.
  func saveLast(_ replica: Replica, rest: [NamedTensor], activity: RankActivity) throws {
    try saveDue(replica, rest: rest, activity: activity)
    let previous = activity.begin(.checkpoint)
    defer { activity.begin(previous) }
    while let report = saver.waitSave() { try handle(report, activity) }
  }

  /// Whether the point where the run stands is on the disk, as far as the saves that have ended tell.
  func isSaved(_ replica: Replica) -> Bool { saved == replica.counters && !hasFailed }

  private func save(
    _ replica: Replica, rest: [NamedTensor], isBest: Bool, activity: RankActivity
  ) throws {
    let previous = activity.begin(.checkpoint)
    defer { activity.begin(previous) }
    var payload = replica.payload()
    payload.state += rest
    saver.startSave(codec.record(of: replica, isBest: isBest), payload)
    saved = replica.counters
    lastSave = .now
  }

  private func handle(_ report: BackgroundSaver.Report, _ activity: RankActivity) throws {
    let start = MonotonicInstant.now + (report.writeStart - .now)
    activity.noteWrite(from: start, to: start + report.writeDuration)
    longestSave = max(longestSave, report.blockedDuration + report.writeDuration)
    hasFailed = report.failure != nil
    guard let failure = report.failure else { return }
    switch spec.checkpoint.onFailure {
    case .stop: throw failure
    case .continue: warn(failure)
    }
  }
}
