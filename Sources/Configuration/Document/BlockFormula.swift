/// What a plain value with a `$` says: a parameter of a block, or whole numbers and parameters with `+ - * /` and
/// parentheses, `$filters * 4`.
struct BlockFormula {
  let text: String
  private var tokens: [Token]

  private enum Token: Equatable {
    case number(Int)
    case name(String)
    case sign(Character)
    /// A character that no formula has.
    case stray(Character)
  }

  /// Why a formula has no value.
  enum Failure: Error {
    case malformed
    /// A parameter whose value is no whole number.
    case notWhole(name: String)
    case inexact(Int, Int)
    case tooLarge
  }

  init(_ text: String) {
    self.text = text
    tokens = []
    var rest = Substring(text)
    while let first = rest.first {
      switch first {
      case " ": rest.removeFirst()
      case "0"..."9": tokens.append(Self.number(&rest))
      case "$":
        rest.removeFirst()
        tokens.append(.name(String(Self.word(&rest))))
      case "+", "-", "*", "/", "(", ")": tokens.append(.sign(rest.removeFirst()))
      default: tokens.append(.stray(rest.removeFirst()))
      }
    }
  }

  /// The parameter that the text names and nothing else.
  var onlyName: String? {
    guard tokens.count == 1, case .name(let name) = tokens[0] else { return nil }
    return name
  }

  /// The parameters that occur.
  var names: [String] {
    tokens.compactMap { if case .name(let name) = $0 { name } else { nil } }
  }

  /// The number that the formula stands for.
  ///
  /// - Throws: `Failure`.
  func value(_ parameter: (String) -> Int?) throws -> Int {
    var rest = tokens[...]
    let value = try Self.sum(&rest, parameter)
    guard rest.isEmpty else { throw Failure.malformed }
    return value
  }

  private static func sum(
    _ rest: inout ArraySlice<Token>, _ parameter: (String) -> Int?
  ) throws -> Int {
    var value = try product(&rest, parameter)
    while case .sign(let sign)? = rest.first, sign == "+" || sign == "-" {
      rest.removeFirst()
      let other = try product(&rest, parameter)
      value = try exact(
        sign == "+"
          ? value.addingReportingOverflow(other) : value.subtractingReportingOverflow(other))
    }
    return value
  }

  private static func product(
    _ rest: inout ArraySlice<Token>, _ parameter: (String) -> Int?
  ) throws -> Int {
    var value = try atom(&rest, parameter)
    while case .sign(let sign)? = rest.first, sign == "*" || sign == "/" {
      rest.removeFirst()
      let other = try atom(&rest, parameter)
      if sign == "*" {
        value = try exact(value.multipliedReportingOverflow(by: other))
      } else {
        guard other != 0, value % other == 0 else { throw Failure.inexact(value, other) }
        value /= other
      }
    }
    return value
  }

  private static func atom(
    _ rest: inout ArraySlice<Token>, _ parameter: (String) -> Int?
  ) throws -> Int {
    switch rest.popFirst() {
    case .number(let number): return number
    case .name(let name):
      guard let value = parameter(name) else { throw Failure.notWhole(name: name) }
      return value
    case .sign("-"): return try exact(atom(&rest, parameter).multipliedReportingOverflow(by: -1))
    case .sign("("):
      let value = try sum(&rest, parameter)
      guard rest.popFirst() == .sign(")") else { throw Failure.malformed }
      return value
    default: throw Failure.malformed
    }
  }

  private static func exact(_ result: (partialValue: Int, overflow: Bool)) throws -> Int {
    guard !result.overflow else { throw Failure.tooLarge }
    return result.partialValue
  }

  private static func number(_ rest: inout Substring) -> Token {
    let digits = rest.prefix { $0.isASCII && $0.isNumber }
    rest.removeFirst(digits.count)
    return Int(digits).map(Token.number) ?? .stray("9")
  }

  private static func word(_ rest: inout Substring) -> Substring {
    let word = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
    rest.removeFirst(word.count)
    return word
  }
}

extension ConfigurationNode {
  /// The formula that stands here, if this is a plain value with a `$`.
  var formula: BlockFormula? {
    guard case .scalar(let text, false) = content, text.contains("$") else { return nil }
    return BlockFormula(text)
  }
}
