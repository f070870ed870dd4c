import Diagnostics
import Yams

/// A line and a column, as a key.
struct MarkKey: Hashable {
  var line: Int
  var column: Int

  init(_ mark: Mark) {
    line = mark.line
    column = mark.column
  }
}

/// The parser's view of a text, duplicate keys included.
///
/// Yams refuses a table that has a key twice and then says nothing of the rest. To report every
/// fault at once, the first letter of the earlier key is exchanged for a letter that no
/// configuration uses, which moves no column, and the text is parsed again.
struct YAMLSource {
  private(set) var root: Node?
  /// What stood where a letter was exchanged.
  private(set) var originalKeys: [MarkKey: String] = [:]

  init(composing text: String, place: (_ line: Int, _ column: Int) -> Place) throws {
    var text = text
    while true {
      do {
        root = try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot()
        return
      } catch YamlError.duplicatedKeysInMapping(let names, let context) {
        let mark = MarkKey(context.mark)
        guard let name = names.first, originalKeys[mark] == nil,
          let renamed = exchangeLetter(of: text, at: mark, number: originalKeys.count)
        else { throw YAMLSyntax.duplicate(names, at: place(mark.line, mark.column)) }
        originalKeys[mark] = name
        text = renamed
      } catch let error as YamlError {
        throw YAMLSyntax.diagnostic(for: error, in: text, place: place)
      }
    }
  }

  /// `text` with the first letter of the key at `mark` replaced by the private-use letter `number`.
  private func exchangeLetter(of text: String, at mark: MarkKey, number: Int) -> String? {
    var scalars = Array(text.unicodeScalars)
    guard let start = index(of: mark, in: scalars), start < scalars.count else { return nil }
    let isQuoted = scalars[start] == "\"" || scalars[start] == "'"
    let letter = start + (isQuoted ? 1 : 0)
    guard letter < scalars.count, scalars[letter].properties.isAlphabetic || !isQuoted,
      let exchange = Unicode.Scalar(0xE000 + UInt32(number)), number < 0x1000
    else { return nil }
    scalars[letter] = exchange
    return String(String.UnicodeScalarView(scalars))
  }

  private func index(of mark: MarkKey, in scalars: [Unicode.Scalar]) -> Int? {
    var line = 1
    for (index, scalar) in scalars.enumerated() {
      if line == mark.line { return index + mark.column - 1 }
      if scalar == "\n" { line += 1 }
    }
    return nil
  }
}

/// What the parser says, in the words of this program.
enum YAMLSyntax {
  static func duplicate(_ names: [String], at place: Place) -> Diagnostic {
    Diagnostic(
      place: place.description, problem: "\(alternatives(names, "and")) is given twice",
      expected: "each key once", remedy: "remove one of the two")
  }

  static func diagnostic(
    for error: YamlError, in text: String, place: (_ line: Int, _ column: Int) -> Place
  ) -> Diagnostic {
    switch error {
    case .scanner(let context, let problem, let mark, _),
      .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      return fault(context, problem, mark, in: text, place: place)
    case .reader(let problem, let offset, _, _):
      let before = text.unicodeScalars.prefix(offset ?? 0)
      let line = before.count { $0 == "\n" } + 1
      let column = before.reversed().prefix { $0 != "\n" }.count + 1
      return Diagnostic(
        place: place(line, column).description, problem: "this is not YAML: \(problem)",
        expected: "printable characters in UTF-8", remedy: "remove the character at this place")
    default:
      return Diagnostic(place: place(1, 1).description, problem: "this is not YAML: \(error)")
    }
  }

  private static func fault(
    _ context: YamlError.Context?, _ problem: String, _ mark: Mark, in text: String,
    place: (_ line: Int, _ column: Int) -> Place
  ) -> Diagnostic {
    let advice = advice(for: problem, mark: mark, text: text)
    return Diagnostic(
      place: place(mark.line, mark.column).description,
      problem: "this is not YAML: \(plainWords(problem))\(origin(context, mark))",
      expected: advice.expected, remedy: advice.remedy)
  }

  /// Where the unfinished part began, when that is elsewhere.
  private static func origin(_ context: YamlError.Context?, _ mark: Mark) -> String {
    guard let context, context.text.hasPrefix("while"),
      (context.mark.line, context.mark.column) != (mark.line, mark.column)
    else { return "" }
    let start = "line \(context.mark.line), column \(context.mark.column)"
    return " \(plainWords(context.text)) that starts at \(start)"
  }

  /// The parser's terms in those of this program.
  private static func plainWords(_ text: String) -> String {
    let terms = [
      ("flow sequence", "list in brackets"), ("block sequence", "list"),
      ("flow mapping", "table in braces"), ("block mapping", "table"),
      ("quoted scalar", "text in quotes"), ("unexpected end of stream", "the end of the file"),
      ("but found another document", "found a second document"),
      ("mapping values are not allowed in this context", "found a second colon, or a wrong indent"),
    ]
    return terms.reduce(text) { $0.replacing($1.0, with: $1.1) }
  }

  private static func advice(
    for problem: String, mark: Mark, text: String
  ) -> (expected: String, remedy: String) {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    let line = mark.line <= lines.count ? lines[mark.line - 1] : ""
    if line.prefix(while: \.isWhitespace).contains("\t") {
      return ("spaces before the first word of a line", "replace the tab by spaces")
    }
    switch problem {
    case "did not find expected ',' or ']'":
      return ("a list such as [3, 5]", "close the list with ], or add the missing comma")
    case "did not find expected ',' or '}'":
      return (
        "a table such as {kernel: 3, stride: 2}", "close the table with }, or add the missing comma"
      )
    case "mapping values are not allowed in this context":
      return (
        "one key: value on a line",
        "indent the line like its neighbours, or put a text that contains a colon in quotes"
      )
    case "found unexpected end of stream":
      return ("a text whose quotes are closed", "add the missing quote")
    case "found undefined alias":
      return ("an alias *name after its anchor &name", "define it, or put the text in quotes")
    case "found character that cannot start any token":
      return ("a word, a number or a text in quotes", "put the text in quotes")
    case "but found another document":
      return ("one document", "remove the line --- and what follows it")
    default:
      return (
        "lines of the form key: value, indented by spaces",
        "compare the indentation and the quotes of this line and the one before it"
      )
    }
  }
}
