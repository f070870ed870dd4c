/// One value of the configuration with the place where it stands.
struct ConfigurationNode {
  var content: Content
  var place: Place

  enum Content {
    /// Quoted text is always text; plain text may also mean a number, true, false or null.
    case scalar(String, isQuoted: Bool)
    case list([ConfigurationNode])
    case table([TableEntry])
  }

  /// `key: value`
  struct TableEntry {
    var key: String
    var keyPlace: Place
    var value: ConfigurationNode
  }

  /// The key of a main value, when an override put other keys beside it:
  /// `max_pool: 2` and `model.layers.3.max_pool.stride=1`.
  static let mainValueKey = ""

  init(_ content: Content, at place: Place = .unplaced) {
    self.content = content
    self.place = place
  }

  var isNull: Bool {
    guard case .scalar(let text, false) = content else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(text)
  }

  var text: String? {
    if case .scalar(let text, _) = content { text } else { nil }
  }

  var items: [ConfigurationNode]? {
    if case .list(let items) = content { items } else { nil }
  }

  var entries: [TableEntry]? {
    if case .table(let entries) = content { entries } else { nil }
  }

  func value(of key: String) -> ConfigurationNode? {
    entries?.first { $0.key == key }?.value
  }

  /// The plain number, as the user wrote it.
  var numberText: String? {
    guard case .scalar(let text, false) = content, parseNumber(text) != nil else { return nil }
    return text
  }

  /// What stands here, to follow "is": `the text "abc"`, `30`, `a list of 3 entries`.
  var summary: String {
    switch content {
    case .scalar(let text, let isQuoted):
      if isNull { return "null" }
      let speaksForItself = !isQuoted && (parseNumber(text) != nil || parseTruth(text) != nil)
      return speaksForItself ? text : "the text \"\(text)\""
    case .list(let items):
      return items.isEmpty ? "an empty list" : "a list of \(counted(items.count, "entry"))"
    case .table(let entries):
      let names = entries.map(\.key).joined(separator: ", ")
      return entries.isEmpty ? "an empty table" : "a table with \(names)"
    }
  }
}

/// Nodes as this program writes them.
extension ConfigurationNode {
  static var null: ConfigurationNode { ConfigurationNode(.scalar("null", isQuoted: false)) }

  static func plain(_ text: String) -> ConfigurationNode {
    ConfigurationNode(.scalar(text, isQuoted: false))
  }

  static func quoted(_ text: String) -> ConfigurationNode {
    ConfigurationNode(.scalar(text, isQuoted: true))
  }

  static func list(_ items: [ConfigurationNode]) -> ConfigurationNode {
    ConfigurationNode(.list(items))
  }

  static func table(_ entries: [(String, ConfigurationNode)]) -> ConfigurationNode {
    ConfigurationNode(
      .table(entries.map { TableEntry(key: $0.0, keyPlace: .unplaced, value: $0.1) }))
  }
}

/// `text` as a finite decimal number; no hexadecimal digits, underscores, infinities.
func parseNumber(_ text: String) -> Double? {
  guard text.allSatisfy({ $0.isASCII && ($0.isNumber || "+-.eE".contains($0)) }),
    let number = Double(text), number.isFinite
  else { return nil }
  return number
}

func parseTruth(_ text: String) -> Bool? {
  switch text {
  case "true", "True", "TRUE": true
  case "false", "False", "FALSE": false
  default: nil
  }
}

/// `1 entry`, `3 entries`.
func counted(_ count: Int, _ noun: String) -> String {
  guard count != 1 else { return "1 \(noun)" }
  return noun.hasSuffix("y") ? "\(count) \(noun.dropLast())ies" : "\(count) \(noun)s"
}

/// `a`, `a or b`, `a, b or c`.
func alternatives(_ names: [String], _ conjunction: String = "or") -> String {
  guard let last = names.last, names.count > 1 else { return names.first ?? "" }
  return "\(names.dropLast().joined(separator: ", ")) \(conjunction) \(last)"
}
