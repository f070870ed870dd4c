import Randomness

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The folders in which prepared files are kept and shared by all processes of a node.
///
/// A file is named after the hash of its key, written under a temporary name and renamed, so that
/// several processes may prepare the same data at once. Files that nobody used for 30 days are deleted
/// when another one is written.
package struct DataCache: Sendable {
  /// Best first.
  package let folders: [String]

  package init(folders: [String]) {
    self.folders = folders
  }

  /// `$XDG_CACHE_HOME/ddp-train` or `~/.cache/ddp-train`; then `$TMPDIR` and `/tmp`, by user.
  package static var standard: DataCache {
    var folders: [String] = []
    if let cache = environment("XDG_CACHE_HOME") {
      folders.append("\(cache)/ddp-train")
    } else if let home = environment("HOME") {
      folders.append("\(home)/.cache/ddp-train")
    }
    if let temporary = environment("TMPDIR") {
      folders.append("\(temporary)/ddp-train-\(getuid())")
    }
    folders.append("/tmp/ddp-train-\(getuid())")
    return DataCache(folders: folders)
  }

  /// The prepared file for `key` in the first folder that has a whole one.
  func file(for key: String, checksData: Bool) -> PreparedFile? {
    for folder in folders where isOurs(folder) {
      let path = path(of: key, in: folder)
      if let file = PreparedFile(path: path, key: key, checksData: checksData) {
        // SAFETY: utimes only reads the path; a null time means now.
        _ = unsafe utimes(path, nil)
        return file
      }
    }
    return nil
  }

  /// Lets `fill` write the file for `key` into the first folder that takes it.
  ///
  /// - Returns: the file, or nil with the folders' failures when none could be written.
  func store(
    key: String, fill: (PreparedFileWriter) throws -> PreparedHeader
  ) throws -> (file: PreparedFile?, failures: [SystemFailure]) {
    var failures: [SystemFailure] = []
    for folder in folders {
      do {
        try makeFolder(folder)
        removeOldFiles(in: folder)
        let writer = try PreparedFileWriter(path: path(of: key, in: folder))
        return (try writer.finish(try fill(writer)), failures)
      } catch let failure as SystemFailure {
        failures.append(failure)
      }
    }
    return (nil, failures)
  }

  private func path(of key: String, in folder: String) -> String {
    let digits = String(hashText(key), radix: 16)
    return "\(folder)/\(String(repeating: "0", count: 16 - digits.count))\(digits).data"
  }

  private func makeFolder(_ folder: String) throws {
    var path = ""
    for part in folder.split(separator: "/") {
      path += folder.hasPrefix("/") || !path.isEmpty ? "/\(part)" : "\(part)"
      // SAFETY: mkdir only reads the path.
      guard unsafe mkdir(path, 0o700) != 0, errno != EEXIST else { continue }
      if !fileExists(path) { throw SystemFailure(call: "mkdir", path: path) }
    }
    guard isOurs(folder) else {
      errno = EPERM
      throw SystemFailure(call: "open", path: folder)
    }
  }

  /// Nobody else may have laid files there for us.
  private func isOurs(_ folder: String) -> Bool {
    var facts = stat()
    // SAFETY: facts outlives the call.
    return unsafe stat(folder, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
      && facts.st_uid == getuid()
  }

  private func removeOldFiles(in folder: String) {
    // SAFETY: the directory is read to its end and closed here; names are copied.
    guard let directory = unsafe opendir(folder) else { return }
    defer { _ = unsafe closedir(directory) }
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafeBytes(of: entry.pointee.d_name) {
        unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      let days = name.hasSuffix(".data") ? 30 : name.hasSuffix(".tmp") ? 1 : Int.max
      var facts = stat()
      let path = "\(folder)/\(name)"
      // SAFETY: facts outlives the call; unlink only reads the path.
      guard days < Int.max, unsafe stat(path, &facts) == 0 else { continue }
      if time(nil) - facts.st_mtim.tv_sec > days * 86_400 { _ = unsafe unlink(path) }
    }
  }
}

private func environment(_ name: String) -> String? {
  // SAFETY: getenv's text is copied at once; nobody changes the environment.
  guard let value = unsafe getenv(name) else { return nil }
  let text = unsafe String(cString: value)
  return text.isEmpty ? nil : text
}
