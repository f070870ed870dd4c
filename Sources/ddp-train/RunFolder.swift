import Checkpoints
import Collectives
import Configuration
import Diagnostics
import Storage
import Training

/// The folder of a run on rank 0's disk.
struct RunFolder {
  let path: String

  init(_ path: String) {
    self.path = path
  }

  var checkpoints: CheckpointFolder { CheckpointFolder("\(path)/checkpoints") }

  /// Makes the folder ready for writing; with `fresh`, forgets earlier checkpoints.
  func prepare(fresh: Bool) throws {
    try Folder(path).prepareForWriting(setting: "output.folder")
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
