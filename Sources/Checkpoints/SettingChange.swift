import Diagnostics

/// A setting whose value is not the one a checkpoint was made with.
package struct SettingChange: Equatable, Sendable {
  /// The key's path in the config, such as `optimizer.learning_rate`.
  package let key: String
  /// nil: the key was not there.
  package let saved: String?
  package let current: String?

  /// The settings that differ, in the order of their keys.
  ///
  /// - Parameter free: Keys that may change, with everything below them: `output` frees
  ///   `output.folder` but not `outputs`.
  package static func changes(
    from saved: [String: String], to current: [String: String], free: [String]
  ) -> [SettingChange] {
    let keys = Set(saved.keys).union(current.keys)
    let changed = keys.filter { key in
      saved[key] != current[key] && !free.contains { key == $0 || key.hasPrefix($0 + ".") }
    }
    return changed.sorted().map {
      SettingChange(key: $0, saved: saved[$0], current: current[$0])
    }
  }

  /// Why a run with these changes cannot go on from the checkpoint at `place`; nil without changes.
  package static func refusal(_ changes: [SettingChange], place: String) -> Diagnostic? {
    guard !changes.isEmpty else { return nil }
    return Diagnostic(
      place: place,
      problem: "the run was started with other settings: "
        + abbreviated(changes.map(\.description)),
      expected: "the same settings, so that the result is that of one uninterrupted run",
      remedy: "restore them, choose another output.folder, or start over with --fresh")
  }
}

extension SettingChange: CustomStringConvertible {
  package var description: String {
    "\(key) was \(saved ?? "not set"), is \(current ?? "not set")"
  }
}
