import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file that appears under its name whole or not at all, also when the process is killed or the
/// machine loses power while it is written.
///
/// The bytes go to a hidden neighbour, to the disk, and only then take over the name. Without
/// `commit` the neighbour is removed and the earlier file stays. One that a killed process left
/// behind is overwritten by the next attempt.
package struct AtomicFile: ~Copyable {
  private let path: String
  private let temporaryPath: String
  private var file: OutputFile
  private var isCommitted = false

  package init(replacing path: String, expectedByteCount: Int? = nil) throws {
    self.path = path
    temporaryPath = Self.temporaryPath(for: path)
    file = try OutputFile(
      path: temporaryPath, place: path, expectedByteCount: expectedByteCount)
  }

  deinit {
    // SAFETY: the path is a terminated text.
    if !isCommitted { _ = unsafe unlink(temporaryPath) }
  }

  package mutating func write(_ piece: Block<UInt8>) throws { try file.write(piece) }

  package mutating func write(_ bytes: [UInt8]) throws { try file.write(bytes) }

  package mutating func write(_ piece: Block<UInt8>, hashingInto digest: SHA256) throws {
    try file.write(piece, hashingInto: digest)
  }

  /// Puts the file in place and waits until the disk knows its name.
  package consuming func commit() throws {
    try file.finish()
    // SAFETY: both paths are terminated texts.
    guard unsafe rename(temporaryPath, path) == 0 else {
      throw FileFault.file(path, cannotBe: "replaced", code: errno)
    }
    isCommitted = true
    try Folder(containing: path).sync()
  }

  /// Replaces the file at `path` by `pieces`, one after another.
  package static func write(_ pieces: [Block<UInt8>], to path: String) throws {
    let total = pieces.reduce(0) { $0 + $1.count }
    var file = try AtomicFile(replacing: path, expectedByteCount: total)
    for piece in pieces { try file.write(piece) }
    try file.commit()
  }

  package static func write(_ text: String, to path: String) throws {
    try write(Array(text.utf8), to: path)
  }

  package static func write(_ bytes: [UInt8], to path: String) throws {
    var file = try AtomicFile(replacing: path, expectedByteCount: bytes.count)
    try file.write(bytes)
    try file.commit()
  }

  static func temporaryPath(for path: String) -> String {
    Folder(containing: path).path(to: ".\(Folder.lastComponent(of: path)).partial")
  }
}
