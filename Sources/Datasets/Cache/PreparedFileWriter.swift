#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Writes a prepared file array by array; readers see it only when it is whole.
final class PreparedFileWriter {
  private let path: String
  private let temporaryPath: String
  /// nil: the arrays go to memory of this process.
  private let descriptor: Int32?
  private var memory: [UInt8] = []
  private var offset = PreparedLayout.preambleBytes
  private var dataChecksum: UInt32 = 0
  private var isFinished = false

  /// A file that becomes `path` when finished.
  init(path: String) throws {
    self.path = path
    temporaryPath = "\(path).\(getpid())-\(UInt32.random(in: 0...UInt32.max)).tmp"
    // SAFETY: open only reads the path.
    let descriptor = unsafe open(temporaryPath, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    self.descriptor = descriptor
    guard descriptor >= 0 else { throw SystemFailure(call: "open", path: temporaryPath) }
    guard lseek(descriptor, off_t(offset), SEEK_SET) == off_t(offset) else {
      throw failure("lseek")
    }
  }

  /// Arrays in memory of this process alone.
  init() {
    path = "memory"
    temporaryPath = path
    descriptor = nil
    memory = [UInt8](repeating: 0, count: offset)
  }

  deinit {
    guard let descriptor, descriptor >= 0 else { return }
    _ = close(descriptor)
    // SAFETY: unlink only reads the path.
    if !isFinished { _ = unsafe unlink(temporaryPath) }
  }

  /// Starts an array on a 64-byte border.
  ///
  /// - Returns: its offset in the file.
  func startArray() throws -> Int {
    let gap = -offset & (PreparedLayout.alignment - 1)
    if gap > 0 { try append([UInt8](repeating: 0, count: gap)) }
    return offset
  }

  func append<Number: BitwiseCopyable>(_ numbers: [Number]) throws {
    // SAFETY: the bytes of an array of plain numbers, used while the array lives.
    try unsafe numbers.withUnsafeBytes { bytes in
      unsafe dataChecksum = checksum(bytes, continuing: dataChecksum)
      unsafe try put(bytes)
    }
  }

  /// Writes the header, makes the file durable and puts it in its place.
  func finish(_ header: PreparedHeader) throws -> PreparedFile {
    let encoded = header.encoded
    let preamble = preamble(for: encoded)
    // SAFETY: the bytes of live arrays.
    unsafe try encoded.withUnsafeBytes { unsafe try put($0) }
    guard let descriptor else {
      return PreparedFile(header: header, storage: try MappedArray(copying: memory), path: nil)
    }
    let written = unsafe preamble.withUnsafeBytes {
      unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0)
    }
    guard written == PreparedLayout.preambleBytes else { throw failure("write") }
    guard fsync(descriptor) == 0 else { throw failure("fsync") }
    // SAFETY: rename only reads the paths.
    guard unsafe rename(temporaryPath, path) == 0 else { throw failure("rename") }
    isFinished = true
    let storage = try MappedArray(descriptor: descriptor, byteCount: offset, path: path)
    return PreparedFile(header: header, storage: storage, path: path)
  }

  private func preamble(for header: [UInt8]) -> [UInt64] {
    var words: [UInt64] = [
      PreparedLayout.magic, UInt64(offset), UInt64(header.count), UInt64(checksum(of: header)),
      UInt64(dataChecksum), 0, 0,
    ]
    words.append(UInt64(checksum(of: words)))
    return words
  }

  private func checksum<Number: BitwiseCopyable>(of numbers: [Number]) -> UInt32 {
    // SAFETY: the bytes of a live array.
    unsafe numbers.withUnsafeBytes { unsafe checksum($0, continuing: 0) }
  }

  private func checksum(_ bytes: UnsafeRawBufferPointer, continuing start: UInt32) -> UInt32 {
    unsafe Datasets.checksum(bytes, continuing: start)
  }

  private func put(_ bytes: UnsafeRawBufferPointer) throws {
    var done = 0
    guard let descriptor else {
      unsafe memory.append(contentsOf: bytes)
      offset += bytes.count
      return
    }
    while done < bytes.count, let start = bytes.baseAddress {
      // SAFETY: the range done..<count of the buffer is readable.
      let count = unsafe write(descriptor, start + done, bytes.count - done)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw failure("write") }
      done += count
    }
    offset += done
  }

  private func failure(_ call: String) -> SystemFailure {
    SystemFailure(call: call, path: temporaryPath)
  }
}
