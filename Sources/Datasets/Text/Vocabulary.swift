/// The tokens of a text and their numbers.
package struct Vocabulary: Equatable, Sendable {
  private let kind: Kind

  private enum Kind: Equatable, Sendable {
    case bytes
    case characters(names: [String], numbers: [Unicode.Scalar: Int32])
    case bytePairs(BytePairVocabulary)
  }

  /// Of a text that has been prepared.
  ///
  /// - Parameter names: Of characters, one Unicode scalar each.
  /// - Throws: A `Diagnostic` or `DiagnosticList` of a byte-pair vocabulary's files.
  package init(level: TextLevel, names: [String]?) throws {
    switch level {
    case .byte: kind = .bytes
    case .bytePair(let files): kind = .bytePairs(try BytePairVocabulary(files))
    case .character:
      let scalars = names?.compactMap(\.unicodeScalars.first) ?? []
      let numbers = Dictionary(
        zip(scalars, (0..<Int32(scalars.count))), uniquingKeysWith: { first, _ in first })
      kind = .characters(names: names ?? [], numbers: numbers)
    }
  }

  /// Of a text to prepare; the characters are those that occur, in the order of Unicode.
  init(level: TextLevel, texts: [[UInt8]]) throws {
    var found = Set<Unicode.Scalar>()
    if level == .character {
      for text in texts { found.formUnion(String(decoding: text, as: UTF8.self).unicodeScalars) }
    }
    try self.init(level: level, names: found.sorted().map { String($0) })
  }

  /// What each token stands for, where tokens are characters.
  package var names: [String]? {
    if case .characters(let names, _) = kind { names } else { nil }
  }

  package var count: Int {
    switch kind {
    case .bytes: 256
    case .characters(let names, _): names.count
    case .bytePairs(let vocabulary): vocabulary.count
    }
  }

  /// The tokens of a text; characters that are none of the vocabulary are left out.
  package func tokens(of text: [UInt8]) -> [Int32] {
    switch kind {
    case .bytes: text.map { Int32($0) }
    case .characters(_, let numbers):
      String(decoding: text, as: UTF8.self).unicodeScalars.compactMap { numbers[$0] }
    case .bytePairs(let vocabulary): vocabulary.tokens(of: text)
    }
  }

  /// The bytes of a text in UTF-8.
  package func text(of tokens: [Int32]) -> [UInt8] {
    switch kind {
    case .bytes: tokens.map { UInt8(truncatingIfNeeded: $0) }
    case .characters(let names, _): tokens.flatMap { Array(names[Int($0)].utf8) }
    case .bytePairs(let vocabulary): vocabulary.text(of: tokens)
    }
  }
}
