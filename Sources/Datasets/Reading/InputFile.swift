import CZlib
import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A data file read from front to back, inflated on the way when it is gzipped.
@safe
struct InputFile: ~Copyable {
  let path: String
  /// Bytes handed out so far, after inflating.
  private(set) var offset = 0
  private let stream: gzFile

  /// - Throws: a `Diagnostic` when there is no such readable regular file.
  init(path: String) throws {
    _ = try FileIdentity(of: path)
    guard let stream = unsafe gzopen(path, "rb") else {
      throw missingFile(path, failure: SystemFailure(call: "gzopen", path: path))
    }
    // SAFETY: the stream is open; a larger buffer only spares system calls.
    _ = unsafe gzbuffer(stream, 1 << 17)
    self.path = path
    unsafe self.stream = unsafe stream
  }

  deinit {
    // SAFETY: opened in the initialiser, closed once.
    _ = unsafe gzclose_r(stream)
  }

  /// The next `limit` bytes, or what is left of them before the end of the file.
  ///
  /// - Throws: a `Diagnostic` when the compressed data are damaged or end early.
  mutating func read(upTo limit: Int) throws -> [UInt8] {
    var status = 0
    // SAFETY: gzread writes at most `limit` bytes, the capacity of the buffer.
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      while count < limit, let start = buffer.baseAddress {
        let part = min(limit - count, 1 << 30)
        status = unsafe Int(gzread(stream, start + count, UInt32(part)))
        if status <= 0 { break }
        count += status
      }
    }
    offset += bytes.count
    if bytes.count < limit { try checkStream() }
    return bytes
  }

  /// Everything from here to the end.
  mutating func readToEnd() throws -> [UInt8] {
    var all: [UInt8] = []
    while true {
      let chunk = try read(upTo: 1 << 20)
      all += chunk
      if chunk.count < 1 << 20 { return all }
    }
  }

  private func checkStream() throws {
    var code: Int32 = 0
    // SAFETY: gzerror returns a terminated text that lives as long as the stream; it is copied.
    guard let text = unsafe gzerror(stream, &code), code != Z_OK else { return }
    if code == Z_ERRNO { throw unreadable() }
    let position = unsafe gzoffset(stream)
    if code == Z_BUF_ERROR {
      throw Diagnostic(
        place: "\(path), byte \(position)", problem: "the compressed data end too early",
        expected: "a whole gzip file, which inflates to more than \(offset) bytes",
        remedy: "download or copy the file again")
    }
    throw Diagnostic(
      place: "\(path), byte \(position)",
      problem: "the compressed data are damaged: \(reason(in: unsafe String(cString: text)))",
      expected: "a gzip file whose checksum is right", remedy: "download or copy the file again")
  }

  /// zlib's text without the path that it puts in front.
  private func reason(in text: String) -> String {
    text.hasPrefix(path + ": ") ? String(text.dropFirst(path.count + 2)) : text
  }

  private func unreadable() -> Diagnostic {
    let failure = SystemFailure(call: "read", path: path)
    return Diagnostic(
      place: "\(path), byte \(offset)", problem: "the file cannot be read: \(failure.reason)",
      expected: "a readable data file", remedy: "check the disk and the file's permissions")
  }
}

/// The CRC-32 of `bytes`, continued from `checksum`.
///
/// Source: RFC 1952, section 8.
func checksum(_ bytes: UnsafeRawBufferPointer, continuing checksum: UInt32 = 0) -> UInt32 {
  guard let start = bytes.baseAddress else { return checksum }
  // SAFETY: start points to count readable bytes.
  return unsafe UInt32(
    truncatingIfNeeded: crc32_z(
      UInt(checksum), start.assumingMemoryBound(to: UInt8.self), bytes.count))
}
