import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What the system said when a call on a file failed, as a message for the user.
enum FileFault {
  /// The system's words for the error number `code`.
  static func reason(_ code: Int32) -> String {
    // SAFETY: strerror returns a terminated text that stays valid until this thread's next call.
    unsafe String(cString: strerror(code))
  }

  /// - Parameter action: What was tried, as a participle: "opened", "read", "removed".
  static func file(_ path: String, cannotBe action: String, code: Int32) -> Diagnostic {
    Diagnostic(
      place: path, problem: "the file cannot be \(action): \(reason(code))",
      expected: expectation(action), remedy: remedy(for: code, path: path))
  }

  static func folder(_ path: String, cannotBe action: String, code: Int32) -> Diagnostic {
    Diagnostic(
      place: path, problem: "the folder cannot be \(action): \(reason(code))",
      remedy: remedy(for: code, path: path))
  }

  static func isDiskFull(_ code: Int32) -> Bool { code == ENOSPC || code == EDQUOT }

  /// - Parameters:
  ///   - needed: Bytes of the file that are not yet written; nil when its size is not known.
  ///   - free: Bytes that are free on its disk; nil when the system does not say.
  static func diskFull(
    _ path: String, code: Int32, written: Int, needed: Int?, free: Int?
  ) -> Diagnostic {
    let need = needed.map { "\($0) more bytes" } ?? "more bytes"
    let have = free.map { "\($0) are free" } ?? "the system does not say how many are free"
    return Diagnostic(
      place: path,
      problem: "the disk is full: \(reason(code)) after \(written) bytes of the file",
      expected: "room for \(need) on its disk; \(have)",
      remedy: "free space on that disk, or choose a folder on another one")
  }

  private static func expectation(_ action: String) -> String? {
    switch action {
    case "opened", "read": "a file that this user may read"
    case "created", "replaced": "a folder in which this user may create files"
    default: nil
    }
  }

  private static func remedy(for code: Int32, path: String) -> String {
    switch code {
    case ENOENT: "check the path, also its upper and lower case"
    case EACCES, EPERM: "give this user the permission (ls -l \(path) shows who has it)"
    case ENOTDIR: "check the path: a part of it is a file, not a folder"
    case EISDIR: "name a file, not a folder"
    case EROFS: "choose a folder on a disk that can be written"
    case EMFILE, ENFILE: "close other programs, or raise the limit of open files (ulimit -n)"
    case EIO: "look for disk errors in the system's log (dmesg)"
    default: "repair what the system reports and start again"
    }
  }
}
