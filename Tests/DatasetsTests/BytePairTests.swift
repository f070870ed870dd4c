import Datasets
import Foundation
import Testing

/// Against `Golden/byte_pair.py`, which says how its files were made.
@Suite("Byte pairs")
struct BytePairTests {
  struct Case: Decodable, Sendable, CustomTestStringConvertible {
    var text: String
    var tokens: [Int32]

    var testDescription: String { String(text.prefix(40)) }
  }

  static let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Golden")

  static let files = BytePairFiles(
    vocabulary: golden.appendingPathComponent("vocab.json").path,
    merges: golden.appendingPathComponent("merges.txt").path)

  static let cases: [Case] = {
    let data = try? Data(contentsOf: golden.appendingPathComponent("cases.json"))
    return data.flatMap { try? JSONDecoder().decode([Case].self, from: $0) } ?? []
  }()

  @Test("the golden file has cases")
  func golden() {
    #expect(Self.cases.count > 20)
    #expect(Set(Self.cases.flatMap(\.tokens)).count > 200)
  }

  @Test("texts become the tokens of the reference, and texts again", arguments: cases)
  func encode(example: Case) throws {
    let vocabulary = try BytePairVocabulary(Self.files)
    let bytes = Array(example.text.utf8)
    #expect(vocabulary.count == 507)
    #expect(vocabulary.tokens(of: bytes) == example.tokens)
    #expect(vocabulary.text(of: example.tokens) == bytes)
  }

  @Test("a text is windows of them; the files are part of what is prepared")
  func text() throws {
    let folder = try TestFolder()
    let example = try #require(Self.cases.last)
    var text = TextSpec(train: [try folder.write("t.txt", example.text)], window: 7)
    text.level = .bytePair(Self.files)
    let data = try folder.load(DataSpec(source: .text(text)))
    #expect(data.train.count == (example.tokens.count - 1) / 7)
    for sample in 0..<data.train.count {
      #expect(
        data.train.dataset.inputs(of: sample)
          == example.tokens[7 * sample..<7 * sample + 7].map { Float($0) })
    }
    #expect(data.shape.target == .classSequence(count: 507, steps: 7, names: nil))
    text.level = .byte
    #expect(try folder.load(DataSpec(source: .text(text))).shape.vocabularyCount == 256)
  }

  /// The golden files with some lines changed, and what is said of them.
  private func message(
    vocabulary: (inout String) -> Void = { _ in }, merges: (inout String) -> Void = { _ in }
  ) throws -> String {
    let folder = try TestFolder()
    var texts = (
      try String(contentsOfFile: Self.files.vocabulary, encoding: .utf8),
      try String(contentsOfFile: Self.files.merges, encoding: .utf8)
    )
    vocabulary(&texts.0)
    merges(&texts.1)
    let files = BytePairFiles(
      vocabulary: try folder.write("vocab.json", texts.0),
      merges: try folder.write("merges.txt", texts.1))
    return try folder.message { _ = try BytePairVocabulary(files) }
  }

  @Test("faults of the two files")
  func faults() throws {
    #expect(try message() == "no fault")
    #expect(
      try message(vocabulary: { $0 = "[1, 2]" }) == """
        vocab.json: the file is no table of tokens and their numbers
          expected: JSON as {"!": 0, "\\"": 1, ...}
          to fix:   name the vocab.json of a GPT-2 vocabulary
        """)
    #expect(
      try message(vocabulary: { $0 = $0.replacing("\"A\": 32", with: "\"A\": 70000") }) == """
        vocab.json: token "A" has the id 70000
          expected: ids 0 to 506, each once
          to fix:   name the vocab.json as it was published
        vocab.json: 1 of 256 bytes have no token, the first of them 65
          expected: a token for each byte, so that every text can be written
          to fix:   name the vocab.json as it was published
        """)
    #expect(
      try message(merges: { $0 = $0.replacing("#version: 0.2\n", with: "#version: 0.2\na\nq z\n") })
        == """
        merges.txt:2: "a" is no pair of tokens
          expected: two tokens and one space
          to fix:   name a merges.txt as GPT-2's is
        merges.txt:3: "q z" needs the token "qz"
          expected: tokens of vocab.json
          to fix:   name two files of the same vocabulary
        """)
    let cut = try message(merges: {
      $0 = $0.split(separator: "\n").prefix(250).joined(separator: "\n")
    })
    #expect(cut.hasPrefix("vocab.json: token \""))
    #expect(
      cut.hasSuffix(
        """
         is made by no merge
          expected: a line of merges.txt that ends in it
          to fix:   name two files of the same vocabulary
        """))
    let folder = try TestFolder()
    let missing = BytePairFiles(
      vocabulary: folder.path + "/v.json", merges: folder.path + "/m.txt")
    #expect(
      try folder.message { _ = try BytePairVocabulary(missing) } == """
        v.json: the file cannot be opened: No such file or directory
          expected: a readable data file
          to fix:   correct the path in the data section, or put the file there
        m.txt: the file cannot be opened: No such file or directory
          expected: a readable data file
          to fix:   correct the path in the data section, or put the file there
        """)
  }
}
