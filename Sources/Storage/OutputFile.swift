import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file being written from start to end, piece by piece.
@safe
package struct OutputFile: ~Copyable {
  private var descriptor: Int32
  private let path: String
  /// The path that messages name.
  private let place: String
  private let expectedByteCount: Int?
  package private(set) var byteCount = 0
  private let staysInCache: Bool
  /// Bytes that the disk has for certain.
  private var syncedByteCount = 0

  /// Creates the file, or empties it.
  ///
  /// - Parameters:
  ///   - place: The path that messages name where it differs from `path`.
  ///   - expectedByteCount: The size the file is going to have, for the message on a full disk.
  ///   - staysInCache: Whether somebody reads it soon. A large file that nobody reads then takes no more memory
  ///     than a piece of it, and no page has to be found for it while others train.
  package init(
    path: String, place: String? = nil, expectedByteCount: Int? = nil, staysInCache: Bool = true
  ) throws {
    self.staysInCache = staysInCache
    self.path = path
    self.place = place ?? path
    self.expectedByteCount = expectedByteCount
    // SAFETY: the path is a terminated text; the mode argument belongs to O_CREAT.
    descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else {
      throw fault("created", code: errno)
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  package mutating func write(_ piece: Block<UInt8>) throws {
    var done = 0
    while done < piece.count {
      // SAFETY: the bytes from done on lie inside the block.
      let length = unsafe systemWrite(descriptor, piece.base + done, piece.count - done)
      if length < 0 && errno == EINTR { continue }
      guard length > 0 else { throw fault("written", code: length < 0 ? errno : EIO) }
      done += length
      byteCount += length
    }
    if !staysInCache && byteCount - syncedByteCount >= Self.cachedByteCount { try leaveCache() }
  }

  private static let cachedByteCount = 1 << 25

  /// Waits until the disk has what was written, and lets go of its pages.
  private mutating func leaveCache() throws {
    guard fdatasync(descriptor) == 0 else { throw fault("written", code: errno) }
    syncedByteCount = byteCount
    // Where the system does not take the advice, the pages stay; that is all.
    _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
  }

  package mutating func write(_ bytes: [UInt8]) throws {
    let memory = AlignedMemory<UInt8>(copying: bytes)
    try write(memory.block)
    withExtendedLifetime(memory) {}
  }

  /// Writes `piece` and adds it to `digest`, in parts that stay in the cache between the two.
  package mutating func write(_ piece: Block<UInt8>, hashingInto digest: SHA256) throws {
    let partLength = 1 << 18
    for start in stride(from: 0, to: piece.count, by: partLength) {
      let part = piece[start..<min(start + partLength, piece.count)]
      digest.update(part)
      try write(part)
    }
  }

  /// Waits until the disk has the bytes and closes the file; nothing may be written afterwards.
  package mutating func finish() throws {
    guard fsync(descriptor) == 0 else { throw fault("written", code: errno) }
    let closing = descriptor
    descriptor = -1
    guard close(closing) == 0 || errno == EINTR else { throw fault("written", code: errno) }
  }

  private func fault(_ action: String, code: Int32) -> Diagnostic {
    guard FileFault.isDiskFull(code) else {
      return FileFault.file(place, cannotBe: action, code: code)
    }
    return FileFault.diskFull(
      place, code: code, written: byteCount, needed: expectedByteCount.map { $0 - byteCount },
      free: Folder(containing: path).freeByteCount)
  }
}

/// write(2) under a name that the method `write` does not hide.
private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  // SAFETY: the caller's bytes are valid for count.
  unsafe write(descriptor, bytes, count)
}
