/// Writes integers and texts one after another: 8 bytes little-endian; length, then UTF-8.
struct ByteWriter {
  private(set) var bytes: [UInt8] = []

  mutating func put(_ value: Int) {
    let word = UInt64(bitPattern: Int64(value))
    for index in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(8 * index))) }
  }

  mutating func put(_ text: String) {
    put(text.utf8.count)
    bytes += text.utf8
  }

  mutating func put<Item>(_ items: [Item], each: (inout ByteWriter, Item) -> Void) {
    put(items.count)
    for item in items { each(&self, item) }
  }

  mutating func put<Item>(_ items: [Item]?, each: (inout ByteWriter, Item) -> Void) {
    put(items == nil ? 0 : 1)
    if let items { put(items, each: each) }
  }
}

/// Reads what `ByteWriter` wrote; every call gives nil once the bytes make no sense.
struct ByteReader {
  private let bytes: [UInt8]
  private var offset = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  mutating func integer() -> Int? {
    guard offset + 8 <= bytes.count else { return nil }
    var word: UInt64 = 0
    for index in 0..<8 { word |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
    offset += 8
    return Int(Int64(bitPattern: word))
  }

  mutating func text() -> String? {
    guard let count = integer(), 0 <= count, count <= bytes.count - offset else { return nil }
    defer { offset += count }
    return String(decoding: bytes[offset..<offset + count], as: UTF8.self)
  }

  mutating func list<Item>(_ item: (inout ByteReader) -> Item?) -> [Item]? {
    guard let count = integer(), 0 <= count, count <= bytes.count - offset else { return nil }
    var items: [Item] = []
    for _ in 0..<count {
      guard let next = item(&self) else { return nil }
      items.append(next)
    }
    return items
  }

  /// nil when damaged, `.some(nil)` for a list that was nil.
  mutating func optionalList<Item>(_ item: (inout ByteReader) -> Item?) -> [Item]?? {
    switch integer() {
    case 0: return .some(nil)
    case 1: return list(item).map { .some($0) }
    default: return nil
    }
  }
}
