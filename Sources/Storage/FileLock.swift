import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Keeps other processes out, by a lock on a file that the system drops when this process ends, however it ends.
@safe
package final class FileLock {
  private let descriptor: Int32
  /// False on the few file systems that have no locks; then nobody is kept out.
  package let isHeld: Bool

  /// Takes the lock.
  ///
  /// - Parameters:
  ///   - creates: Whether to make a file that is missing; if not, the result is nil.
  ///   - patience: How long to wait for a process that is about to end.
  ///   - refusal: The message where another process keeps the lock, with the words that it left.
  package init?(
    path: String, creates: Bool, patience: Duration, refusal: (_ words: String) -> Diagnostic
  ) throws {
    // SAFETY: the path is a terminated text; the mode argument belongs to O_CREAT.
    descriptor = unsafe open(path, O_RDWR | O_CLOEXEC | (creates ? O_CREAT : 0), 0o666)
    if descriptor < 0 && !creates && [ENOENT, ENOTDIR].contains(errno) { return nil }
    guard descriptor >= 0 else {
      throw FileFault.file(path, cannotBe: "created", code: errno)
    }
    let start = ContinuousClock.now
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      if errno == EINTR { continue }
      guard errno == EWOULDBLOCK else {
        isHeld = false
        return
      }
      if ContinuousClock.now - start > patience { throw refusal(Self.text(descriptor)) }
      usleep(50_000)
    }
    isHeld = true
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// Leaves words in the file for those who are kept out.
  package func leave(_ words: String) {
    let bytes = Array(words.utf8)
    // What does not get there is missing in somebody's message, no more.
    guard ftruncate(descriptor, 0) == 0 else { return }
    // SAFETY: count bytes of the array are read.
    _ = unsafe bytes.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
  }

  private static func text(_ descriptor: Int32) -> String {
    var bytes = [UInt8](repeating: 0, count: 200)
    // SAFETY: at most count bytes are written into the array.
    let count = unsafe bytes.withUnsafeMutableBytes {
      unsafe pread(descriptor, $0.baseAddress, $0.count, 0)
    }
    return String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
  }
}
