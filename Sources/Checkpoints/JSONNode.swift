/// A value of a JSON text, with the place where it stood.
struct JSONNode: Equatable {
  enum Value: Equatable {
    case null
    case bool(Bool)
    /// The digits as written, so that 64-bit integers keep every bit.
    case number(String)
    case string(String)
    case array([JSONNode])
    /// In the order of the text.
    case object([Member])
  }

  struct Member: Equatable {
    let name: String
    /// Where the name began.
    var offset = 0
    let node: JSONNode
  }

  let value: Value
  /// Bytes before the value in its text; 0 for a value that was not read.
  var offset = 0

  static func string(_ text: String) -> JSONNode { JSONNode(value: .string(text)) }

  static func integer(_ number: some BinaryInteger) -> JSONNode {
    JSONNode(value: .number("\(number)"))
  }

  /// The shortest digits that read back as the same number; JSON has no words for infinities and
  /// not-a-number, so those are strings.
  static func double(_ number: Double) -> JSONNode {
    number.isFinite ? JSONNode(value: .number("\(number)")) : .string("\(number)")
  }

  static func array(_ nodes: [JSONNode]) -> JSONNode { JSONNode(value: .array(nodes)) }

  static func object(_ members: [(String, JSONNode)]) -> JSONNode {
    JSONNode(value: .object(members.map { Member(name: $0.0, node: $0.1) }))
  }

  /// An object whose names are in alphabetical order, so that equal dictionaries give equal texts.
  static func object<Content>(
    _ dictionary: [String: Content], _ node: (Content) -> JSONNode
  ) -> JSONNode {
    object(dictionary.sorted { $0.key < $1.key }.map { ($0.key, node($0.value)) })
  }
}

extension JSONNode {
  var text: String? { if case .string(let text) = value { text } else { nil } }

  var members: [Member]? { if case .object(let members) = value { members } else { nil } }

  var elements: [JSONNode]? { if case .array(let elements) = value { elements } else { nil } }

  var bool: Bool? { if case .bool(let bool) = value { bool } else { nil } }

  func integer<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
    if case .number(let digits) = value { Number(digits) } else { nil }
  }

  var double: Double? {
    switch value {
    case .number(let digits): Double(digits)
    case .string(let text): ["nan", "inf", "-inf"].contains(text) ? Double(text) : nil
    default: nil
    }
  }
}
