import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What tells one version of a file from another without reading it.
struct FileIdentity: Equatable, CustomStringConvertible {
  /// Absolute, links resolved.
  var path: String
  var byteCount: Int
  var modifiedNanoseconds: Int

  /// - Throws: a `Diagnostic` when there is no such regular file.
  init(of path: String) throws {
    var facts = stat()
    // SAFETY: facts outlives the call.
    guard unsafe stat(path, &facts) == 0 else {
      throw missingFile(path, failure: SystemFailure(call: "stat", path: path))
    }
    guard facts.st_mode & S_IFMT == S_IFREG else {
      throw Diagnostic(
        place: path, problem: "this is a folder or a device", expected: "a regular file",
        remedy: "name the data file itself")
    }
    self.path = absolutePath(path)
    byteCount = Int(facts.st_size)
    modifiedNanoseconds = facts.st_mtim.tv_sec * 1_000_000_000 + facts.st_mtim.tv_nsec
  }

  var description: String { "\(path) \(byteCount) \(modifiedNanoseconds)" }
}

func fileExists(_ path: String) -> Bool {
  // SAFETY: access only reads the text.
  unsafe access(path, F_OK) == 0
}

private func absolutePath(_ path: String) -> String {
  // SAFETY: with a null buffer realpath allocates its result, which is copied and freed here.
  guard let resolved = unsafe realpath(path, nil) else { return path }
  defer { unsafe free(resolved) }
  return unsafe String(cString: resolved)
}

/// Says that `path` cannot be opened and what brings it.
func missingFile(_ path: String, failure: SystemFailure) -> Diagnostic {
  Diagnostic(
    place: path, problem: "the file cannot be opened: \(failure.reason)",
    expected: "a readable data file", remedy: remedyForMissingFile(path))
}

private func remedyForMissingFile(_ path: String) -> String {
  if path.hasPrefix("/usr/share/datasets/fashion-mnist/") {
    return "install the data set: apt-get install dataset-fashion-mnist"
  }
  let sibling = path.hasSuffix(".gz") ? String(path.dropLast(3)) : path + ".gz"
  if fileExists(sibling) { return "name \(sibling), which exists" }
  return "correct the path in the data section, or put the file there"
}
