import Checkpoints
import Collectives
import Configuration
import Diagnostics
import Foundation
import Storage
import Training

/// The folder of a run on rank 0's disk. Who writes there keeps others out until the process ends.
final class RunFolder {
  let path: String
  private var lock: FileLock?

  init(_ path: String) {
    self.path = path
  }

  var checkpoints: CheckpointFolder { CheckpointFolder("\(path)/checkpoints") }

  /// Keeps other runs out of a folder in which a run has been before.
  func claim() throws { try claim(isNew: false) }

  private func claim(isNew: Bool) throws {
    guard lock == nil else { return }
    lock = try FileLock(
      path: "\(path)/.lock", creates: isNew,
      // The ranks of a job that was killed take a moment to end.
      patience: .seconds(10)
    ) { owner in
      Diagnostic(
        place: path, problem: "another run is at work in this folder: \(owner)",
        expected: "one run at a time",
        remedy: "wait until it has ended, end it, or choose another output.folder")
    }
  }

  var warnings: [String] {
    lock?.isHeld == false
      ? ["the file system of \(path) has no locks: nothing keeps a second run out of the folder"]
      : []
  }

  /// Makes the folder ready for writing; with `fresh`, forgets earlier checkpoints.
  func prepare(fresh: Bool) throws {
    try Folder(path).prepareForWriting(setting: "output.folder")
    try claim(isNew: true)
    let process = ProcessInfo.processInfo
    lock?.leave("process \(process.processIdentifier) on \(process.hostName)")
    if fresh { try checkpoints.removeAll() } else { try checkpoints.removeTemporaries() }
  }

  /// The newest whole checkpoint, if it belongs to the same run; damaged ones are named.
  func newestCheckpoint(resuming configuration: RunConfiguration) throws -> LoadedCheckpoint? {
    let found = try newestCheckpoint()
    guard let checkpoint = found else { return nil }
    let changes = try SettingChange.changes(
      from: checkpoint.record.settings, to: configuration.settings(),
      free: CheckpointCodec.freeSettings)
    if let refusal = SettingChange.refusal(changes, place: checkpoint.path) { throw refusal }
    return checkpoint
  }

  /// The newest whole checkpoint.
  func newestCheckpoint() throws -> LoadedCheckpoint? {
    let found = try checkpoints.newestValid()
    for warning in found.warnings { printError("warning: \(warning)") }
    return found.checkpoint
  }
}

extension RunConfiguration {
  /// What must be the same when a run goes on: all keys, and what `auto` stands for in this program.
  func settings() throws -> [String: String] {
    try flattened.merging(spec.convolutionAlgorithms()) { key, _ in key }
  }
}
