#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

// Layout: a preamble of 64 bytes; arrays, each on a 64-byte border; the encoded header.
// The preamble, little-endian: 8 bytes magic, then 8 bytes each: header offset, header length,
// CRC-32 of the header, CRC-32 of everything between preamble and header, and at byte 56 the
// CRC-32 of the 56 bytes before.

enum PreparedLayout {
  /// `dpdata03`: the number is the format's version.
  static let magic: UInt64 = 0x3330_6174_6164_7064
  static let preambleBytes = 64
  static let alignment = 64
}

/// Decoded arrays in mapped memory.
struct PreparedFile: Sendable {
  let header: PreparedHeader
  let storage: MappedArray
  /// nil: private memory of this process.
  let path: String?
  /// The mapped files of dev and test parts that are not in `storage`.
  let devStorage: MappedArray?
  let testStorage: MappedArray?

  init(
    header: PreparedHeader, storage: MappedArray, path: String?, devStorage: MappedArray? = nil,
    testStorage: MappedArray? = nil
  ) {
    self.header = header
    self.storage = storage
    self.path = path
    self.devStorage = devStorage
    self.testStorage = testStorage
  }

  /// Opens and checks a prepared file; nil when there is none for `key` or it is damaged.
  ///
  /// - Parameter checksData: Reads all bytes once to compare their checksum.
  init?(path: String, key: String, checksData: Bool) {
    // SAFETY: open only reads the path.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { _ = close(descriptor) }
    let byteCount = Int(lseek(descriptor, 0, SEEK_END))
    guard byteCount > PreparedLayout.preambleBytes,
      let storage = try? MappedArray(descriptor: descriptor, byteCount: byteCount, path: path),
      let header = Self.header(of: storage, checksData: checksData), header.key == key
    else { return nil }
    self.init(header: header, storage: storage, path: path)
  }

  private static func header(of storage: MappedArray, checksData: Bool) -> PreparedHeader? {
    let words = (0..<8).map { storage.load(UInt64.self, at: 8 * $0) }
    guard words[0] == PreparedLayout.magic,
      words[7] == UInt64(checksum(storage, 0..<56)),
      let offset = Int(exactly: words[1]), let count = Int(exactly: words[2]),
      offset >= PreparedLayout.preambleBytes, offset <= storage.byteCount,
      count == storage.byteCount - offset,
      words[3] == UInt64(checksum(storage, offset..<offset + count))
    else { return nil }
    let data = PreparedLayout.preambleBytes..<offset
    guard !checksData || words[4] == UInt64(checksum(storage, data)) else { return nil }
    // SAFETY: the bytes are copied while the mapping lives.
    return unsafe PreparedHeader(decoding: Array(storage.bytes(at: offset, count: count)))
  }

  private static func checksum(_ storage: MappedArray, _ range: Range<Int>) -> UInt32 {
    // SAFETY: the range is checked by the mapping, which outlives the call.
    unsafe Datasets.checksum(storage.bytes(at: range.lowerBound, count: range.count))
  }
}
