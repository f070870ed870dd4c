/// Tokens that are made of bytes by merging frequent pairs, as GPT-2's are.
///
/// Source: Sennrich, Haddow, Birch, "Neural machine translation of rare words with subword units", ACL 2016, on bytes as
/// in Radford et al., "Language models are unsupervised multitask learners", 2019, section 2.2.
package struct BytePairVocabulary: Equatable, Sendable {
  /// By token.
  private let texts: [[UInt8]]
  /// The token of each single byte.
  private let byteTokens: [Int32]
  private let merges: [TokenPair: Merge]

  struct TokenPair: Hashable {
    var first: Int32
    var second: Int32
  }

  struct Merge: Equatable {
    /// The lowest goes first.
    var rank: Int
    var token: Int32
  }

  init(texts: [[UInt8]], byteTokens: [Int32], merges: [TokenPair: Merge]) {
    self.texts = texts
    self.byteTokens = byteTokens
    self.merges = merges
  }

  package var count: Int { texts.count }

  /// The tokens of a text in UTF-8, none of them special: `<|endoftext|>` is read as any other text.
  ///
  /// - Complexity: Each different word is merged once.
  package func tokens(of text: [UInt8]) -> [Int32] {
    var splitter = WordSplitter(text)
    var known: [[UInt8]: [Int32]] = [:]
    var tokens: [Int32] = []
    while let range = splitter.next() {
      let word = Array(text[range])
      if let merged = known[word] {
        tokens += merged
        continue
      }
      let merged = merge(word)
      known[word] = merged
      tokens += merged
    }
    return tokens
  }

  /// The bytes of tokens, which may end inside a character.
  package func text(of tokens: [Int32]) -> [UInt8] { tokens.flatMap { texts[Int($0)] } }

  /// Merges all occurrences of the pair with the lowest rank, again and again.
  private func merge(_ word: [UInt8]) -> [Int32] {
    var tokens = word.map { byteTokens[Int($0)] }
    while tokens.count > 1 {
      var best: (pair: TokenPair, merge: Merge)?
      for index in 0..<tokens.count - 1 {
        let pair = TokenPair(first: tokens[index], second: tokens[index + 1])
        if let merge = merges[pair], merge.rank < best?.merge.rank ?? .max { best = (pair, merge) }
      }
      guard let best else { break }
      replace(best.pair, by: best.merge.token, in: &tokens)
    }
    return tokens
  }

  private func replace(_ pair: TokenPair, by token: Int32, in tokens: inout [Int32]) {
    var (read, written) = (0, 0)
    while read < tokens.count {
      if read + 1 < tokens.count, tokens[read] == pair.first, tokens[read + 1] == pair.second {
        tokens[written] = token
        read += 2
      } else {
        tokens[written] = tokens[read]
        read += 1
      }
      written += 1
    }
    tokens.removeSubrange(written...)
  }
}
