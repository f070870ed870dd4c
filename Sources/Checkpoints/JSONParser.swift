/// What is wrong with a JSON text, and where.
struct JSONFault: Error, Equatable {
  let offset: Int
  let problem: String
}

/// Reads a JSON text (RFC 8259), strictly: no comments, no trailing commas, no name twice in an object.
struct JSONParser {
  private let bytes: [UInt8]
  private var position = 0
  private var depth = 0

  private static let deepest = 32

  static func parse(_ bytes: [UInt8]) throws(JSONFault) -> JSONNode {
    var parser = JSONParser(bytes: bytes)
    let node = try parser.value()
    parser.skipBlanks()
    if parser.position < bytes.count { throw parser.unexpected("the end") }
    return node
  }

  private init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  private mutating func value() throws(JSONFault) -> JSONNode {
    skipBlanks()
    let start = position
    let value: JSONNode.Value
    switch peek {
    case UInt8(ascii: "{"):
      value = .object(try nested { parser throws(JSONFault) in try parser.members() })
    case UInt8(ascii: "["):
      value = .array(try nested { parser throws(JSONFault) in try parser.elements() })
    case UInt8(ascii: "\""): value = .string(try string())
    case UInt8(ascii: "t"): value = try word("true", .bool(true))
    case UInt8(ascii: "f"): value = try word("false", .bool(false))
    case UInt8(ascii: "n"): value = try word("null", .null)
    default: value = .number(try number())
    }
    return JSONNode(value: value, offset: start)
  }

  private mutating func nested<Result>(
    _ body: (inout JSONParser) throws(JSONFault) -> Result
  ) throws(JSONFault) -> Result {
    guard depth < Self.deepest else {
      throw JSONFault(offset: position, problem: "more than \(Self.deepest) levels of brackets")
    }
    depth += 1
    position += 1
    let result = try body(&self)
    depth -= 1
    return result
  }

  private mutating func members() throws(JSONFault) -> [JSONNode.Member] {
    var members: [JSONNode.Member] = []
    var names: Set<String> = []
    skipBlanks()
    if take("}") { return members }
    repeat {
      skipBlanks()
      let start = position
      guard peek == UInt8(ascii: "\"") else { throw unexpected("a name in quotes") }
      let name = try string()
      guard names.insert(name).inserted else {
        throw JSONFault(offset: start, problem: "the name \(JSONNode.quoted(name)) appears twice")
      }
      skipBlanks()
      guard take(":") else { throw unexpected("':'") }
      members.append(JSONNode.Member(name: name, offset: start, node: try value()))
      skipBlanks()
    } while take(",")
    guard take("}") else { throw unexpected("',' or '}'") }
    return members
  }

  private mutating func elements() throws(JSONFault) -> [JSONNode] {
    var elements: [JSONNode] = []
    skipBlanks()
    if take("]") { return elements }
    repeat {
      elements.append(try value())
      skipBlanks()
    } while take(",")
    guard take("]") else { throw unexpected("',' or ']'") }
    return elements
  }

  private mutating func word(
    _ word: String, _ value: JSONNode.Value
  ) throws(JSONFault) -> JSONNode.Value {
    guard bytes[position...].starts(with: word.utf8) else { throw unexpected("a value") }
    position += word.utf8.count
    return value
  }

  /// `-? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)?`
  private mutating func number() throws(JSONFault) -> String {
    let start = position
    _ = take("-")
    guard let first = peek, isDigit(first) else {
      throw unexpected(position == start ? "a value" : "a digit")
    }
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      _ = take("+") || take("-")
      try digits()
    }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  private mutating func digits() throws(JSONFault) {
    guard let first = peek, isDigit(first) else { throw unexpected("a digit") }
    while let next = peek, isDigit(next) { position += 1 }
  }

  // MARK: Strings

  private mutating func string() throws(JSONFault) -> String {
    let start = position
    position += 1
    var content: [UInt8] = []
    while let byte = peek {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        if let text = String(validating: content, as: UTF8.self) { return text }
        throw JSONFault(offset: start, problem: "a text that is not UTF-8")
      case UInt8(ascii: "\\"): content += try escaped()
      case 0..<0x20:
        throw JSONFault(offset: position - 1, problem: "a control character inside a text")
      default: content.append(byte)
      }
    }
    throw JSONFault(offset: start, problem: "a text without its closing quote")
  }

  /// What follows a backslash, as UTF-8.
  private mutating func escaped() throws(JSONFault) -> [UInt8] {
    let start = position - 1
    let letter = peek
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [letter ?? 0]
    case UInt8(ascii: "n"): return [10]
    case UInt8(ascii: "r"): return [13]
    case UInt8(ascii: "t"): return [9]
    case UInt8(ascii: "b"): return [8]
    case UInt8(ascii: "f"): return [12]
    case UInt8(ascii: "u"):
      var units = [try codeUnit(start)]
      if UTF16.isLeadSurrogate(units[0]), take("\\"), take("u") {
        units.append(try codeUnit(start))
      }
      if let text = String(validating: units, as: UTF16.self) { return Array(text.utf8) }
    default: break
    }
    throw JSONFault(offset: start, problem: "an escape that JSON does not know")
  }

  private mutating func codeUnit(_ start: Int) throws(JSONFault) -> UInt16 {
    let end = min(position + 4, bytes.count)
    let text = String(decoding: bytes[position..<end], as: UTF8.self)
    guard text.utf8.count == 4, text.allSatisfy(\.isHexDigit), let unit = UInt16(text, radix: 16)
    else { throw JSONFault(offset: start, problem: "an escape that JSON does not know") }
    position = end
    return unit
  }

  // MARK: Bytes

  private var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard peek == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func skipBlanks() {
    while let byte = peek, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private func unexpected(_ expected: String) -> JSONFault {
    let found =
      switch peek {
      case nil: "the end of the text"
      case .some(let byte) where (0x21...0x7E).contains(byte):
        "'\(Character(Unicode.Scalar(byte)))'"
      case .some(let byte): "the byte 0x" + String(byte, radix: 16)
      }
    return JSONFault(offset: position, problem: "\(expected) is missing; \(found) is there")
  }
}
