import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A whole file as read-only memory; pages are read when they are first touched, and all processes of
/// a machine share them.
///
/// `bytes` and every block cut from it are valid while this object lives: keep it in a property, or
/// work inside `withBytes`. Writing through them ends
/// the process, and so does reading a part that another process has meanwhile cut off the file.
@safe
package final class MappedFile {
  package let path: String
  package let bytes: Block<UInt8>

  package var byteCount: Int { bytes.count }

  package init(path: String) throws {
    let file = try OpenFile(reading: path)
    self.path = path
    guard file.byteCount > 0 else {
      // SAFETY: an empty block is never read through.
      bytes = unsafe Block(base: UnsafeMutablePointer(bitPattern: 64)!, count: 0)
      return
    }
    // SAFETY: a fresh mapping of the whole open file; checked for failure before use.
    let memory = unsafe mmap(nil, file.byteCount, PROT_READ, MAP_PRIVATE, file.descriptor, 0)
    guard let memory = unsafe memory, unsafe memory != MAP_FAILED else {
      throw FileFault.file(path, cannotBe: "mapped", code: errno)
    }
    // SAFETY: the mapping holds byteCount bytes.
    bytes = unsafe Block(
      base: memory.assumingMemoryBound(to: UInt8.self), count: file.byteCount)
  }

  /// Calls `body` with the bytes; the mapping stays until `body` returns.
  package func withBytes<Result>(_ body: (Block<UInt8>) throws -> Result) rethrows -> Result {
    try withExtendedLifetime(self) { try body(bytes) }
  }

  deinit {
    guard byteCount > 0 else { return }
    // SAFETY: the mapping was made with this address and length and is undone once.
    unsafe munmap(bytes.base, byteCount)
  }
}
