extension JSONNode {
  /// The value without any blanks, as the safetensors library writes its headers.
  var compactText: String {
    switch value {
    case .null: "null"
    case .bool(let bool): bool ? "true" : "false"
    case .number(let digits): digits
    case .string(let text): Self.quoted(text)
    case .array(let nodes): "[" + nodes.map(\.compactText).joined(separator: ",") + "]"
    case .object(let members):
      "{"
        + members.map { Self.quoted($0.name) + ":" + $0.node.compactText }.joined(separator: ",")
        + "}"
    }
  }

  /// The value with one member a line; arrays stay on their line.
  func indentedText(depth: Int = 0) -> String {
    guard case .object(let members) = value, !members.isEmpty else { return compactText }
    let inner = String(repeating: "  ", count: depth + 1)
    let lines = members.map {
      inner + Self.quoted($0.name) + ": " + $0.node.indentedText(depth: depth + 1)
    }
    let outer = String(repeating: "  ", count: depth)
    return "{\n" + lines.joined(separator: ",\n") + "\n" + outer + "}"
  }

  static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case "\u{8}": quoted += "\\b"
      case "\u{c}": quoted += "\\f"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
