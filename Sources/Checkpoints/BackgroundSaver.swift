import Diagnostics
import Storage

/// Saves checkpoints beside the training, which pays only for a copy of the tensors.
///
/// One save at a time is written. The writing thread hashes, writes, syncs and prunes at low priority; it calls
/// nothing of MPI.
package final class BackgroundSaver {
  /// What became of a save.
  package struct Report: Sendable {
    package let step: Int
    /// The name of the checkpoint, or why there is none. Earlier checkpoints are whole either way.
    package let result: Result<String, Diagnostic>
    /// What the training loop waited for the copy and, with two saves on their way, for one of them.
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
  private let begin: @Sendable () -> Void
  private var thread: BackgroundThread<Report>?
  /// What `thread` writes.
  private var snapshot: CheckpointSnapshot
  /// Memory for what is to be written next.
  private var spare = CheckpointSnapshot(sizedFor: nil)
  private var next: SaveJob?
  private var reports: [Report] = []

  /// - Parameters:
  ///   - keep: Newest checkpoints to keep beside the best one.
  ///   - payload: One of the size to come, for making room before the first save.
  ///   - begin: What the writing thread does first: it may leave the core of the thread that trains.
  package init(
    folder: CheckpointFolder, keep: Int, sizedFor payload: CheckpointPayload? = nil,
    begin: @escaping @Sendable () -> Void = {}
  ) {
    self.begin = begin
    self.folder = folder
    self.keep = keep
    snapshot = CheckpointSnapshot(sizedFor: payload)
  }

  /// Saves that are being written or wait for it.
  package var saveCount: Int { (thread == nil ? 0 : 1) + (next == nil ? 0 : 1) }

  /// Copies `payload` and returns; the copy is written meanwhile, after an earlier one that still is.
  ///
  /// When a third comes while one is written and one waits, it takes the place of the one that waits if both are
  /// the best so far; else this call waits for the first to end.
  package func startSave(_ record: CheckpointRecord, _ payload: CheckpointPayload) {
    let clock = ContinuousClock()
    let start = clock.now
    if let next, !(next.record.isBest && record.isBest) { endSave() }
    // The same memory again, as long as one copy is enough.
    if thread == nil { swap(&snapshot, &spare) }
    let copy = spare.copy(payload)
    next = SaveJob(
      folder: folder, keep: keep, record: record, payload: copy,
      blockedDuration: clock.now - start)
    if thread == nil { startNext() }
  }

  /// The report of a save that has ended and was not reported yet; never waits. Its failure is for the caller
  /// to act on.
  package func pollSave() -> Report? {
    if let thread, thread.isFinished { endSave() }
    return reports.isEmpty ? nil : reports.removeFirst()
  }

  /// Waits for the save that is being written, if any, and gives the first report that nobody has seen.
  package func waitSave() -> Report? {
    if reports.isEmpty { endSave() }
    return reports.isEmpty ? nil : reports.removeFirst()
  }

  /// Waits for the save that is being written and begins with the next.
  private func endSave() {
    guard let report = thread?.wait() else { return }
    reports.append(report)
    thread = nil
    startNext()
  }

  private func startNext() {
    guard let job = next else { return }
    next = nil
    swap(&snapshot, &spare)
    thread = BackgroundThread { [begin] in
      begin()
      return job.run()
    }
  }
}

/// A save with everything it needs, on its way to the writing thread.
///
/// `@unchecked`: the payload is a view of a snapshot, which the saver leaves alone until the thread
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
