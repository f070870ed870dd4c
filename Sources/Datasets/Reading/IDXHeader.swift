import Diagnostics

extension ArrayHeader {
  /// Reads `00 00 type dimensions` and one big-endian 32-bit size per dimension.
  ///
  /// Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", section "file formats".
  init(idx file: inout InputFile) throws {
    let magic = try file.read(upTo: 4)
    guard magic.count == 4 else {
      throw headerTooShort(file, expected: "a magic number of 4 bytes")
    }
    guard magic[0] == 0, magic[1] == 0, magic[3] > 0, let number = Self.idxNumber(magic[2]) else {
      throw wrongMagic(magic, path: file.path)
    }
    let dimensions = Int(magic[3])
    let sizes = try file.read(upTo: 4 * dimensions)
    guard sizes.count == 4 * dimensions else {
      throw headerTooShort(file, expected: "\(dimensions) sizes of 4 bytes")
    }
    let size = NumberFormat(kind: .unsigned, byteCount: 4, isBigEndian: true)
    self.init(
      shape: (0..<dimensions).map { Int(size.number(in: sizes, at: 4 * $0)) }, number: number)
  }

  private static func idxNumber(_ code: UInt8) -> NumberFormat? {
    switch code {
    case 0x08: NumberFormat(kind: .unsigned, byteCount: 1, isBigEndian: true)
    case 0x09: NumberFormat(kind: .signed, byteCount: 1, isBigEndian: true)
    case 0x0B: NumberFormat(kind: .signed, byteCount: 2, isBigEndian: true)
    case 0x0C: NumberFormat(kind: .signed, byteCount: 4, isBigEndian: true)
    case 0x0D: NumberFormat(kind: .float, byteCount: 4, isBigEndian: true)
    case 0x0E: NumberFormat(kind: .float, byteCount: 8, isBigEndian: true)
    default: nil
    }
  }
}

private func wrongMagic(_ magic: [UInt8], path: String) -> Diagnostic {
  let digits = magic.map { byte in
    let text = String(byte, radix: 16)
    return text.count == 1 ? "0" + text : text
  }
  let isNPY = magic == [0x93, 0x4E, 0x55, 0x4D]
  return Diagnostic(
    place: "\(path), byte 0",
    problem: "magic number 0x\(digits.joined()) is not one of an IDX file",
    expected: "0x000008 and the number of dimensions for bytes (0x00000803 for grey images,"
      + " 0x00000801 for labels), or type 09, 0b, 0c, 0d or 0e for wider numbers",
    remedy: isNPY
      ? "set data.format to npy, which this file is"
      : "name an IDX file, or set data.format to what this file is")
}
