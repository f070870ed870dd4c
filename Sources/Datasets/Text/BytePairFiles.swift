import Diagnostics
import Foundation

/// A byte-pair vocabulary in the two files that GPT-2 was published with.
package struct BytePairFiles: Equatable, Sendable {
  /// `vocab.json`: `{"!": 0, ..., "\u0120the": 262, ...}`.
  package var vocabulary: String
  /// `merges.txt`: a pair of tokens in each line, the most frequent first.
  package var merges: String

  package init(vocabulary: String, merges: String) {
    self.vocabulary = vocabulary
    self.merges = merges
  }
}

/// Faults told one by one.
private let faultLimit = 10

extension BytePairVocabulary {
  /// Reads and checks both files.
  ///
  /// - Throws: A `DiagnosticList` of tokens and merges that do not fit each other.
  package init(_ files: BytePairFiles) throws {
    var faults = DiagnosticList()
    let found = try faults.collect { try readNumbers(files.vocabulary) }
    let lines = try faults.collect { try readMerges(files.merges) }
    try faults.throwIfAny()
    guard let found, let lines else { preconditionFailure("no vocabulary and no fault") }
    let texts = try orderedTexts(found, path: files.vocabulary)
    let numbers = Dictionary(
      zip(texts, (0..<Int32(texts.count))), uniquingKeysWith: { first, _ in first })
    let merges = try merges(lines, numbers, files)
    let made = Set(merges.values.map(\.token))
    try checkMade(texts, made, files)
    self.init(
      texts: texts, byteTokens: (0...255).map { numbers[[UInt8($0)]] ?? 0 }, merges: merges)
  }
}

/// The tokens of `vocab.json` with their numbers.
private func readNumbers(_ path: String) throws -> [String: Int] {
  var file = try InputFile(path: path)
  let bytes = try file.readToEnd()
  do { return try JSONDecoder().decode([String: Int].self, from: Data(bytes)) } catch {
    throw Diagnostic(
      place: path, problem: "the file is no table of tokens and their numbers",
      expected: #"JSON as {"!": 0, "\"": 1, ...}"#,
      remedy: "name the vocab.json of a GPT-2 vocabulary")
  }
}

private func readMerges(_ path: String) throws -> [(line: Int, text: Substring)] {
  var file = try InputFile(path: path)
  let text = String(decoding: try file.readToEnd(), as: UTF8.self)
  return text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap {
    let line = $0.element.hasSuffix("\r") ? $0.element.dropLast() : $0.element
    let isTitle = $0.offset == 0 && line.hasPrefix("#version")
    return isTitle || line.isEmpty ? nil : ($0.offset + 1, line)
  }
}

/// The bytes of each token, by number.
private func orderedTexts(_ numbers: [String: Int], path: String) throws -> [[UInt8]] {
  var faults = LimitedFaults(place: path)
  var texts = [[UInt8]?](repeating: nil, count: numbers.count)
  for (token, number) in numbers.sorted(by: { ($0.value, $0.key) < ($1.value, $1.key) }) {
    guard texts.indices.contains(number), texts[number] == nil else {
      faults.add(
        "token \"\(token)\" has the id \(number)\(texts.indices.contains(number) ? " of another" : "")",
        expected: "ids 0 to \(numbers.count - 1), each once",
        remedy: "name the vocab.json as it was published")
      continue
    }
    texts[number] = ByteSymbols.bytes(of: token) ?? []
    if texts[number] == [] {
      faults.add(
        "token \"\(token)\" (id \(number)) is written in characters that stand for no bytes",
        expected: "GPT-2's printable characters for bytes, U+0120 for a space",
        remedy: "name a vocabulary of bytes, as GPT-2's is")
    }
  }
  let found = Set(texts.compactMap { $0 })
  let missing = (0...255).map { [UInt8($0)] }.filter { !found.contains($0) }
  if let first = missing.first {
    faults.add(
      "\(missing.count) of 256 bytes have no token, the first of them \(first[0])",
      expected: "a token for each byte, so that every text can be written",
      remedy: "name the vocab.json as it was published")
  }
  try faults.throwIfAny()
  return texts.compactMap { $0 }
}

private func merges(
  _ lines: [(line: Int, text: Substring)], _ numbers: [[UInt8]: Int32], _ files: BytePairFiles
) throws -> [BytePairVocabulary.TokenPair: BytePairVocabulary.Merge] {
  var faults = LimitedFaults(place: files.merges)
  var merges: [BytePairVocabulary.TokenPair: BytePairVocabulary.Merge] = [:]
  for (rank, (line, text)) in lines.enumerated() {
    let parts = text.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 2, let first = ByteSymbols.bytes(of: parts[0]), !first.isEmpty,
      let second = ByteSymbols.bytes(of: parts[1]), !second.isEmpty
    else {
      faults.add(
        line: line, "\"\(text)\" is no pair of tokens", expected: "two tokens and one space",
        remedy: "name a merges.txt as GPT-2's is")
      continue
    }
    let missing = [first, second, first + second].first { numbers[$0] == nil }
    guard missing == nil, let a = numbers[first], let b = numbers[second],
      let token = numbers[first + second]
    else {
      faults.add(
        line: line,
        "\"\(text)\" needs the token \"\(ByteSymbols.text(of: missing ?? []))\"",
        expected: "tokens of \(files.vocabulary)",
        remedy: "name two files of the same vocabulary")
      continue
    }
    let pair = BytePairVocabulary.TokenPair(first: a, second: b)
    if merges[pair] == nil {
      merges[pair] = BytePairVocabulary.Merge(rank: rank, token: token)
    }
  }
  try faults.throwIfAny()
  return merges
}

/// Every token is a byte, made by a merge, or special (`<|endoftext|>`).
private func checkMade(_ texts: [[UInt8]], _ made: Set<Int32>, _ files: BytePairFiles) throws {
  var faults = LimitedFaults(place: files.vocabulary)
  for (number, text) in texts.enumerated()
  where text.count > 1 && !made.contains(Int32(number)) && !isSpecial(text) {
    faults.add(
      "token \"\(ByteSymbols.text(of: text))\" (id \(number)) is made by no merge",
      expected: "a line of \(files.merges) that ends in it",
      remedy: "name two files of the same vocabulary")
  }
  try faults.throwIfAny()
}

private func isSpecial(_ text: [UInt8]) -> Bool {
  (text.first, text.last) == (UInt8(ascii: "<"), UInt8(ascii: ">"))
    || (text.first, text.last) == (UInt8(ascii: "["), UInt8(ascii: "]"))
}

/// Faults of one file, of which only the first are told one by one.
private struct LimitedFaults {
  let place: String
  private var list = DiagnosticList()
  private var count = 0

  init(place: String) {
    self.place = place
  }

  mutating func add(
    line: Int? = nil, _ problem: String, expected: String, remedy: String
  ) {
    count += 1
    guard count <= faultLimit else { return }
    list.append(
      Diagnostic(
        place: line.map { "\(place):\($0)" } ?? place, problem: problem, expected: expected,
        remedy: remedy))
  }

  func throwIfAny() throws {
    var list = list
    if count > faultLimit {
      list.append(
        Diagnostic(place: place, problem: "there are \(count - faultLimit) more faults like these"))
    }
    try list.throwIfAny()
  }
}
