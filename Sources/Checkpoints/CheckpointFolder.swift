import Diagnostics
import Storage

/// The folder in which a run keeps its checkpoints, each a folder of its own.
///
/// A checkpoint appears under its name whole or not at all, whenever the process is killed.
package struct CheckpointFolder: Sendable {
  package let folder: Folder

  package var path: String { folder.path }

  package init(_ path: String) {
    folder = Folder(path)
  }

  /// The folder name of the checkpoint after `step` steps.
  package static func name(step: Int) -> String {
    let digits = String(step)
    return namePrefix + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

  /// The step of a checkpoint's folder name; nil for any other name.
  static func step(of name: String) -> Int? {
    guard name.hasPrefix(namePrefix), let step = Int(name.dropFirst(namePrefix.count)),
      Self.name(step: step) == name
    else { return nil }
    return step
  }

  /// Names of the checkpoints, newest first, whole or damaged.
  package func names() throws -> [String] {
    guard folder.exists else { return [] }
    return try folder.entries().compactMap { name in Self.step(of: name).map { ($0, name) } }
      .sorted { $0.0 > $1.0 }.map(\.1)
  }

  /// Removes what saves and removals that were cut short have left; for the start of a run.
  package func removeTemporaries() throws {
    guard folder.exists else { return }
    try folder.restoreReplacedEntries()
    for name in try folder.entries() where name.hasPrefix(Self.temporaryPrefix) {
      try folder.removeEntry(name)
    }
  }

  /// Removes every checkpoint; for a run that starts over.
  package func removeAll() throws {
    try removeTemporaries()
    for name in try names().reversed() { try remove(name) }
  }

  /// Removes the checkpoints that are no longer needed after the one called `latest` was saved, and
  /// gives their names.
  ///
  /// The newest `count` stay, and the newest of those that are marked best. Later steps than `latest`
  /// go: the run has returned to an earlier checkpoint and will pass them again.
  @discardableResult
  package func prune(keep count: Int, latest: String) throws -> [String] {
    precondition(count >= 1, "keep \(count) checkpoints")
    let names = try names()
    let future = names.filter { (Self.step(of: $0) ?? 0) > (Self.step(of: latest) ?? 0) }
    let past = names.filter { !future.contains($0) }
    let best = past.first { (try? record(of: $0))?.isBest == true }
    let surplus = past.dropFirst(count).filter { $0 != best } + future
    for name in surplus.sorted() { try remove(name) }
    return surplus.sorted()
  }

  func record(of name: String) throws -> CheckpointRecord {
    let path = Folder(folder.path(to: name)).path(to: Self.recordFile)
    return try CheckpointRecord(json: try FileContents.bytes(of: path), path: path)
  }

  /// The name goes first, so that a removal cut short leaves no half checkpoint.
  private func remove(_ name: String) throws {
    let temporary = Self.temporaryPrefix + name
    try folder.removeEntry(temporary)
    try folder.moveEntry(name, to: temporary)
    try folder.removeEntry(temporary)
  }

  static let namePrefix = "step-"
  static let temporaryPrefix = ".partial-"
  static let modelFile = "model.safetensors"
  static let stateFile = "state.safetensors"
  static let recordFile = "checkpoint.json"
  static let digestFile = "SHA256SUMS"
}
