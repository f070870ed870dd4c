import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A regular file open for reading.
struct OpenFile: ~Copyable {
  let path: String
  let descriptor: Int32
  let byteCount: Int

  init(reading path: String) throws {
    // SAFETY: the path is a terminated text; O_CLOEXEC keeps it from child processes.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileFault.file(path, cannotBe: "opened", code: errno) }
    var status = stat()
    // SAFETY: status is a valid place for the answer.
    let code = unsafe fstat(descriptor, &status) == 0 ? 0 : errno
    guard code == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      let isFolder = status.st_mode & S_IFMT == S_IFDIR
      throw FileFault.file(
        path, cannotBe: "opened", code: code != 0 ? code : isFolder ? EISDIR : EINVAL)
    }
    self.path = path
    self.descriptor = descriptor
    byteCount = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// Reads at most `buffer.count` bytes from `offset`; 0 at the end of the file.
  func read(into buffer: Block<UInt8>, at offset: Int) throws -> Int {
    while true {
      // SAFETY: the block has room for count bytes.
      let length = unsafe pread(descriptor, buffer.base, buffer.count, off_t(offset))
      if length >= 0 { return length }
      guard errno == EINTR else {
        var fault = FileFault.file(path, cannotBe: "read", code: errno)
        fault.place = "\(path): byte \(offset)"
        throw fault
      }
    }
  }
}

/// Reading small files whole.
package enum FileContents {
  /// All bytes of the file; a file that grows meanwhile is cut at the size it had.
  package static func bytes(of path: String) throws -> [UInt8] {
    let file = try OpenFile(reading: path)
    return try AlignedMemory<UInt8>(count: file.byteCount).withBlock { block in
      var filled = 0
      while filled < block.count {
        let length = try file.read(into: block[filled..<block.count], at: filled)
        if length == 0 { break }
        filled += length
      }
      return block.prefix(filled).array
    }
  }

  /// The file as text; the first byte that is not UTF-8 is named.
  package static func text(of path: String) throws -> String {
    let bytes = try bytes(of: path)
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    throw Diagnostic(
      place: "\(path): byte \(firstInvalid(bytes))", problem: "the file is not UTF-8 text",
      expected: "text in UTF-8", remedy: "save the file as UTF-8")
  }

  private static func firstInvalid(_ bytes: [UInt8]) -> Int {
    var offset = 0
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    while case .scalarValue(let scalar) = decoder.decode(&iterator) {
      offset += UTF8.width(scalar)
    }
    return offset
  }
}
