import Glibc
import Storage

/// A new folder that vanishes with the object.
final class TemporaryFolder {
  let path: String

  var folder: Folder { Folder(path) }

  init() throws {
    var template = Array("/tmp/ddp-checkpoints-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure() }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { try? folder.remove() }

  func path(to name: String) -> String { folder.path(to: name) }

  struct Failure: Error {}
}

/// A file system of `byteCount` bytes that is mounted while the object lives; nil without the right
/// to mount one.
final class SmallDisk {
  let path: String
  private let place: TemporaryFolder

  init?(byteCount: Int) {
    guard let place = try? TemporaryFolder(),
      mount("tmpfs", place.path, "tmpfs", 0, "size=\(byteCount)") == 0
    else { return nil }
    self.place = place
    path = place.path
  }

  deinit { umount(path) }

  static let isPossible = SmallDisk(byteCount: 1 << 16) != nil
}

/// What the user reads when `body` fails.
func message(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "no error"
  } catch { return "\(error)" }
}

/// Replaces a file without waiting for the disk.
func writeQuickly(_ bytes: [UInt8], to path: String) throws {
  try Folder(containing: path).removeEntry(Folder.lastComponent(of: path))
  var file = try OutputFile(path: path)
  try file.write(bytes)
}
