/// The characters that stand for bytes in GPT-2's files: printable ones for themselves, the others for characters
/// from U+0100 on, so that every token can be written without blanks or control characters.
///
/// Source: Radford et al., "Language models are unsupervised multitask learners", 2019, section 2.2, and the published
/// encoder's `bytes_to_unicode`.
enum ByteSymbols {
  /// By byte.
  static let scalars: [Unicode.Scalar] = {
    let printable = [0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF].joined()
    var table = [Unicode.Scalar?](repeating: nil, count: 256)
    for byte in printable { table[byte] = Unicode.Scalar(UInt8(byte)) }
    var next: UInt32 = 0x100
    return table.map { scalar in
      if let scalar { return scalar }
      defer { next += 1 }
      guard let scalar = Unicode.Scalar(next) else { preconditionFailure("U+\(next)") }
      return scalar
    }
  }()

  private static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
    uniqueKeysWithValues: zip(scalars, (0...255).map { UInt8($0) }))

  /// The bytes that a token's characters stand for; nil when one of them stands for none.
  static func bytes(of token: some StringProtocol) -> [UInt8]? {
    var result: [UInt8] = []
    for scalar in token.unicodeScalars {
      guard let byte = bytes[scalar] else { return nil }
      result.append(byte)
    }
    return result
  }

  static func text(of bytes: some Sequence<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    for byte in bytes { text.append(scalars[Int(byte)]) }
    return String(text)
  }
}
