/// Cuts a text into the words that GPT-2 merges bytes in, in the order of its regular expression:
///
///     's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
///
/// Source: the published encoder of Radford et al., "Language models are unsupervised multitask learners", 2019.
struct WordSplitter {
  /// Valid UTF-8.
  private let text: [UInt8]
  private var position = 0

  init(_ text: [UInt8]) {
    self.text = text
  }

  /// The bytes of the next word; nil at the end. Words follow each other without gaps.
  mutating func next() -> Range<Int>? {
    guard position < text.count else { return nil }
    let start = position
    position = contraction(at: start) ?? word(from: start) ?? blanks(from: start)
    return start..<position
  }

  /// The end of `'s`, `'re` and so on.
  private func contraction(at start: Int) -> Int? {
    guard text[start] == 0x27 else { return nil }
    let rest = text[(start + 1)...].prefix(2)
    switch rest.first {
    case UInt8(ascii: "s"), UInt8(ascii: "t"), UInt8(ascii: "m"), UInt8(ascii: "d"):
      return start + 2
    default:
      let isKnown = Self.longContractions.contains { rest.elementsEqual($0) }
      return isKnown ? start + 3 : nil
    }
  }

  private static let longContractions = ["re", "ve", "ll"].map { Array($0.utf8) }

  /// The end of letters, of numbers or of other signs, with up to one space before them.
  private func word(from start: Int) -> Int? {
    let first = text[start] == 0x20 ? start + 1 : start
    guard first < text.count else { return nil }
    let kind = scalar(at: first).kind
    return kind == .blank ? nil : end(of: kind, from: first)
  }

  /// The end of blanks; the last one is left to the word behind them, if there are two or more.
  private func blanks(from start: Int) -> Int {
    var (end, last) = (start, start)
    while end < text.count, scalar(at: end).kind == .blank {
      last = end
      end += scalar(at: end).byteCount
    }
    return end == text.count || last == start ? end : last
  }

  private func end(of kind: Kind, from start: Int) -> Int {
    var end = start
    while end < text.count {
      let next = scalar(at: end)
      guard next.kind == kind else { break }
      end += next.byteCount
    }
    return end
  }

  private enum Kind { case letter, number, blank, other }

  private static let ascii: [Kind] = (0..<128).map { kind(of: Unicode.Scalar(UInt8($0))) }

  private func scalar(at start: Int) -> (kind: Kind, byteCount: Int) {
    let first = text[start]
    if first < 0x80 { return (Self.ascii[Int(first)], 1) }
    let byteCount = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    var value = UInt32(first) & (0x7F >> UInt32(byteCount))
    for byte in text[start + 1..<start + byteCount] { value = value << 6 | UInt32(byte & 0x3F) }
    return (Unicode.Scalar(value).map(Self.kind) ?? .other, byteCount)
  }

  private static func kind(of scalar: Unicode.Scalar) -> Kind {
    if scalar.properties.isWhitespace { return .blank }
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
      return .letter
    case .decimalNumber, .letterNumber, .otherNumber: return .number
    default: return .other
    }
  }
}
