/// Writes nodes as YAML: tables in blocks, whatever fits on a line in brackets.
struct YAMLWriter {
  private static let lineLength = 96

  /// The document whose root is the table `node`.
  static func document(_ node: ConfigurationNode) -> String {
    (node.entries ?? []).map { block($0, indent: 0) }.joined()
  }

  /// `node` on one line, as inside brackets: `{kernel: 3, stride: [1, 2]}`.
  static func line(_ node: ConfigurationNode) -> String {
    switch node.content {
    case .scalar(let text, let isQuoted): isQuoted ? quote(text) : text
    case .list(let items): "[\(items.map(line).joined(separator: ", "))]"
    case .table(let entries):
      "{\(entries.map { "\($0.key): \(line($0.value))" }.joined(separator: ", "))}"
    }
  }

  /// `text` so that every YAML reader takes it for that text and nothing else.
  static func text(_ text: String) -> ConfigurationNode {
    let words = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
    let isPlain =
      text.first.map { $0.isASCII && ($0.isLetter || $0 == "/" || $0 == "_") } ?? false
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_-./".contains($0)) }
      && !words.contains(text.lowercased())
    return isPlain ? .plain(text) : .quoted(text)
  }

  private static func block(_ entry: ConfigurationNode.TableEntry, indent: Int) -> String {
    let start = String(repeating: " ", count: indent) + entry.key + ":"
    let isTopTable = indent == 0 && !(entry.value.entries ?? []).isEmpty
    if !isTopTable, !entry.value.isListOfTables,
      let short = fitting(entry.value, after: start + " ")
    {
      return short
    }
    switch entry.value.content {
    case .scalar: return "\(start) \(line(entry.value))\n"
    case .list(let items):
      return "\(start)\n" + items.map { block(item: $0, indent: indent + 2) }.joined()
    case .table(let entries):
      return "\(start)\n" + entries.map { block($0, indent: indent + 2) }.joined()
    }
  }

  private static func block(item: ConfigurationNode, indent: Int) -> String {
    let start = String(repeating: " ", count: indent) + "- "
    if item.entries?.count != 1, let short = fitting(item, after: start) { return short }
    let lines: String
    switch item.content {
    case .scalar: return "\(start)\(line(item))\n"
    case .list(let items): lines = items.map { block(item: $0, indent: indent + 2) }.joined()
    case .table(let entries): lines = entries.map { block($0, indent: indent + 2) }.joined()
    }
    return start + lines.dropFirst(indent + 2)
  }

  private static func fitting(_ node: ConfigurationNode, after start: String) -> String? {
    let whole = start + line(node)
    return whole.count <= lineLength ? whole + "\n" : nil
  }

  private static func quote(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
      switch scalar {
      case "\\": "\\\\"
      case "\"": "\\\""
      case "\n": "\\n"
      case "\r": "\\r"
      case "\t": "\\t"
      case _ where scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value):
        "\\x" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
      default: String(scalar)
      }
    }
    return "\"\(escaped.joined())\""
  }
}

extension ConfigurationNode {
  fileprivate var isListOfTables: Bool { items?.contains { $0.entries != nil } ?? false }
}
