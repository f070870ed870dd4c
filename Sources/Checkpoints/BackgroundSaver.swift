import Diagnostics
import Storage

/// Saves checkpoints beside the training, which pays only for a copy of the tensors.
///
/// One save at a time: a second one waits for the first. The writing thread hashes, writes, syncs and
/// prunes at low priority; it calls nothing of MPI.
package final class BackgroundSaver {
  /// What became of a save.
  package struct Report: Sendable {
    package let step: Int
    /// The name of the checkpoint, or why there is none. Earlier checkpoints are whole either way.
    package let result: Result<String, Diagnostic>
    /// What the training loop waited for the copy and, before it, for an earlier save to end.
    package let blockedDuration: Duration
    /// When the thread began.
    package let writeStart: ContinuousClock.Instant
    /// What the thread took to hash, write and sync.
    package let writeDuration: Duration

    package var failure: Diagnostic? {
      if case .failure(let fault) = result { fault } else { nil }
    }
  }

  private let folder: CheckpointFolder
  private let keep: Int
  private let snapshot: CheckpointSnapshot
  private var thread: BackgroundThread<Report>?

  /// The time of all saves together that the training loop has paid.
  package private(set) var totalBlockedDuration = Duration.zero

  /// - Parameters:
  ///   - keep: Newest checkpoints to keep beside the best one.
  ///   - payload: One of the size to come, for making room before the first save.
  package init(folder: CheckpointFolder, keep: Int, sizedFor payload: CheckpointPayload? = nil) {
    self.folder = folder
    self.keep = keep
    snapshot = CheckpointSnapshot(sizedFor: payload)
  }

  /// Whether a save is being written at this moment.
  package var isSaving: Bool { thread.map { !$0.isFinished } ?? false }

  /// Copies `payload` and returns; the copy is written meanwhile.
  ///
  /// - Returns: The report of the save before, if nobody has taken it yet. Its failure is for the
  ///   caller to act on: stop, or go on with the save that has just begun.
  package func startSave(_ record: CheckpointRecord, _ payload: CheckpointPayload) -> Report? {
    let clock = ContinuousClock()
    let start = clock.now
    let earlier = waitSave()
    let job = SaveJob(
      folder: folder, keep: keep, record: record, payload: snapshot.copy(payload),
      blockedDuration: clock.now - start)
    totalBlockedDuration += job.blockedDuration
    thread = BackgroundThread { job.run() }
    return earlier
  }

  /// The report of a save that has ended and was not reported yet; never waits.
  package func pollSave() -> Report? { isSaving ? nil : waitSave() }

  /// Waits for the save that is being written, if any, and gives its report.
  package func waitSave() -> Report? {
    let report = thread?.wait()
    thread = nil
    return report
  }
}

/// A save with everything it needs, on its way to the writing thread.
///
/// `@unchecked`: the payload is a view of the snapshot, which the saver leaves alone until the thread
/// has ended.
private struct SaveJob: @unchecked Sendable {
  let folder: CheckpointFolder
  let keep: Int
  let record: CheckpointRecord
  let payload: CheckpointPayload
  let blockedDuration: Duration

  func run() -> BackgroundSaver.Report {
    let clock = ContinuousClock()
    let start = clock.now
    let result = save()
    return BackgroundSaver.Report(
      step: record.step, result: result, blockedDuration: blockedDuration,
      writeStart: start, writeDuration: clock.now - start)
  }

  private func save() -> Result<String, Diagnostic> {
    do {
      let name = try folder.save(record, payload)
      try folder.prune(keep: keep, latest: name)
      return .success(name)
    } catch let fault as Diagnostic {
      return .failure(fault)
    } catch {
      return .failure(Diagnostic(place: folder.path, problem: "the save failed: \(error)"))
    }
  }
}
