import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension Folder {
  /// Gives the entry `name` the name `newName` and waits until the disk knows it; whatever had that
  /// name before steps aside first and is removed last.
  ///
  /// A process killed in between leaves nothing under `newName` at worst; `restoreReplacedEntries`
  /// puts the earlier entry back.
  package func moveEntry(_ name: String, to newName: String) throws {
    let aside = Self.replacedPrefix + newName
    if contains(newName) {
      try removeEntry(aside)
      try rename(newName, to: aside)
    }
    do { try rename(name, to: newName) } catch {
      try restoreReplacedEntries()
      throw error
    }
    try sync()
    try removeEntry(aside)
  }

  /// Puts entries back that a move, cut short, had taken away.
  package func restoreReplacedEntries() throws {
    for entry in try entries() where entry.hasPrefix(Self.replacedPrefix) {
      let name = String(entry.dropFirst(Self.replacedPrefix.count))
      if contains(name) { try removeEntry(entry) } else { try rename(entry, to: name) }
    }
  }

  private static var replacedPrefix: String { ".replaced-" }

  private func rename(_ name: String, to newName: String) throws {
    // SAFETY: both paths are terminated texts.
    guard unsafe systemRename(path(to: name), path(to: newName)) == 0 else {
      throw FileFault.file(path(to: newName), cannotBe: "replaced", code: errno)
    }
  }
}

/// rename(2) under a name that the method `rename` does not hide.
private func systemRename(_ path: UnsafePointer<CChar>, _ newPath: UnsafePointer<CChar>) -> Int32 {
  // SAFETY: the caller's texts are terminated.
  unsafe rename(path, newPath)
}
