import Diagnostics

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file's bytes, mapped read-only and shared with every process that maps the same file.
@safe
final class MappedArray: @unchecked Sendable {
  let byteCount: Int
  private let start: UnsafeRawPointer

  /// Maps the first `byteCount` bytes of an open file, which may be closed afterwards.
  init(descriptor: Int32, byteCount: Int, path: String) throws {
    precondition(byteCount > 0, "mapping of \(byteCount) bytes of \(path)")
    // SAFETY: a new mapping at an address of the system's choice; nothing else refers to it.
    guard let address = unsafe mmap(nil, byteCount, PROT_READ, MAP_SHARED, descriptor, 0),
      unsafe address != MAP_FAILED
    else {
      throw SystemFailure(call: "mmap", path: path)
    }
    self.byteCount = byteCount
    unsafe start = UnsafeRawPointer(address)
  }

  /// Maps a whole file.
  ///
  /// - Throws: A `Diagnostic` when there is no such regular file, or it is empty.
  convenience init(file path: String) throws {
    let byteCount = try FileIdentity(of: path).byteCount
    // SAFETY: open only reads the path.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw missingFile(path, failure: SystemFailure(call: "open", path: path))
    }
    defer { _ = close(descriptor) }
    guard byteCount > 0 else {
      throw Diagnostic(
        place: path, problem: "the file is empty", expected: "a data file",
        remedy: "name another file")
    }
    do { try self.init(descriptor: descriptor, byteCount: byteCount, path: path) } catch let failure
      as SystemFailure
    {
      throw Diagnostic(
        place: path, problem: "the file cannot be mapped: \(failure.reason)",
        expected: "a file on a disk that can be mapped", remedy: "copy it to a local disk")
    }
  }

  /// Private pages with a copy of `bytes`.
  init(copying bytes: [UInt8]) throws {
    precondition(!bytes.isEmpty, "a mapping of no bytes")
    let access = PROT_READ | PROT_WRITE
    let flags = MAP_PRIVATE | MAP_ANONYMOUS
    // SAFETY: a new mapping at an address of the system's choice; nothing else refers to it.
    guard let address = unsafe mmap(nil, bytes.count, access, flags, -1, 0),
      unsafe address != MAP_FAILED
    else {
      throw SystemFailure(call: "mmap", path: "\(bytes.count) bytes of memory")
    }
    // SAFETY: both hold bytes.count bytes and do not overlap.
    unsafe UnsafeMutableRawBufferPointer(start: address, count: bytes.count).copyBytes(from: bytes)
    byteCount = bytes.count
    unsafe start = UnsafeRawPointer(address)
  }

  deinit {
    // SAFETY: mapped in the initialiser, unmapped once.
    _ = unsafe munmap(UnsafeMutableRawPointer(mutating: start), byteCount)
  }

  /// The bytes `offset..<offset + count`; valid while this object lives.
  func bytes(at offset: Int, count: Int) -> UnsafeRawBufferPointer {
    precondition(
      0 <= offset && 0 <= count && offset + count <= byteCount,
      "bytes \(offset)..<\(offset + count) of \(byteCount)")
    // SAFETY: the range lies inside the mapping.
    return unsafe UnsafeRawBufferPointer(start: start + offset, count: count)
  }

  /// One number, bounds checked: for tests, labels and headers, not for the step's inner loops.
  func load<Number: BitwiseCopyable>(_ type: Number.Type, at offset: Int) -> Number {
    let bytes = unsafe bytes(at: offset, count: MemoryLayout<Number>.size)
    // SAFETY: the bytes hold one whole number and every pattern of bits is one.
    return unsafe bytes.loadUnaligned(as: type)
  }
}
