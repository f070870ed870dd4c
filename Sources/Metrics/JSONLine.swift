/// One JSON object on one line, its keys in the order in which they were added.
///
/// Keys and words are our own and need no escapes.
struct JSONLine {
  private var members: [String] = []

  mutating func append(_ key: String, _ value: String) {
    members.append("\"\(key)\":\"\(value)\"")
  }

  mutating func append(_ key: String, _ value: Int) {
    members.append("\"\(key)\":\(value)")
  }

  mutating func append(_ key: String, _ values: [Int]) {
    members.append("\"\(key)\":[\(values.map(String.init).joined(separator: ","))]")
  }

  mutating func append(_ key: String, _ values: [String]) {
    members.append("\"\(key)\":[\(values.map { "\"\($0)\"" }.joined(separator: ","))]")
  }

  mutating func append(_ key: String, _ value: Bool) {
    members.append("\"\(key)\":\(value)")
  }

  /// The shortest digits that read back as `value`; JSON has no word for what is not finite, so
  /// that becomes `null`.
  mutating func append(_ key: String, _ value: Double) {
    members.append("\"\(key)\":" + (value.isFinite ? "\(value)" : "null"))
  }

  mutating func append(_ key: String, _ values: [Double]) {
    let words = values.map { $0.isFinite ? "\($0)" : "null" }
    members.append("\"\(key)\":[\(words.joined(separator: ","))]")
  }

  /// Leaves the key out when there is no value.
  mutating func append(_ key: String, _ value: Double?) {
    if let value { append(key, value) }
  }

  var text: String { "{\(members.joined(separator: ","))}" }
}
