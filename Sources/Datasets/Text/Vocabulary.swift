/// The tokens of a text and their numbers.
package struct Vocabulary: Equatable, Sendable {
  /// What each token stands for, by its number; nil: bytes.
  package let names: [String]?
  private let numbers: [Unicode.Scalar: Int32]

  /// - Parameter names: One Unicode scalar each; nil: tokens are bytes.
  package init(names: [String]?) {
    self.names = names
    let scalars = names?.compactMap(\.unicodeScalars.first) ?? []
    numbers = Dictionary(
      zip(scalars, (0..<Int32(scalars.count))), uniquingKeysWith: { first, _ in first })
  }

  /// Of all scalars that occur, in the order of Unicode.
  init(level: TextLevel, texts: [[UInt8]]) {
    guard level == .character else {
      self.init(names: nil)
      return
    }
    var found = Set<Unicode.Scalar>()
    for text in texts { found.formUnion(String(decoding: text, as: UTF8.self).unicodeScalars) }
    self.init(names: found.sorted().map { String($0) })
  }

  package var count: Int { names?.count ?? 256 }

  /// The tokens of a text; scalars that are none of the vocabulary are left out.
  package func tokens(of text: [UInt8]) -> [Int32] {
    guard names != nil else { return text.map { Int32($0) } }
    return String(decoding: text, as: UTF8.self).unicodeScalars.compactMap { numbers[$0] }
  }

  /// The bytes of a text in UTF-8.
  package func text(of tokens: [Int32]) -> [UInt8] {
    guard let names else { return tokens.map { UInt8(truncatingIfNeeded: $0) } }
    return tokens.flatMap { Array(names[Int($0)].utf8) }
  }
}
