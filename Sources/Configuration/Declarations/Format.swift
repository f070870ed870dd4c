import Diagnostics

/// How values of one type stand in the configuration: read, written and described in one place.
struct Format<Value> {
  /// What a fault says was expected: `a whole number, at least 1`.
  var expectation: String
  /// A valid value, as the user would write it.
  var example: String
  /// The value at a path, or nil after a fault has been added.
  var read: (ConfigurationNode, _ path: String, inout Faults) -> Value?
  var write: (Value) -> ConfigurationNode
  /// The keys inside such a value; none when it is a plain value.
  var describe: (_ path: String) -> [ConfigurationKey] = { _ in [] }
  /// What the table of keys shows in place of a long expectation.
  var type: (() -> String)?
}

extension Format {
  /// This format under a narrower promise.
  func refined(
    expecting expectation: String, example: String? = nil, where isValid: @escaping (Value) -> Bool
  ) -> Format {
    var refined = self
    let example = example ?? self.example
    refined.expectation = expectation
    refined.example = example
    refined.read = { node, path, faults in
      if let value = known(node), isValid(value) { return value }
      faults.mismatch(node, path, expected: expectation, example: example)
      return nil
    }
    return refined
  }

  /// The value of `node` if it is a right one; no fault otherwise.
  func known(_ node: ConfigurationNode) -> Value? {
    var unheard = Faults()
    return read(node, "", &unheard)
  }

  /// The same text for another type.
  func map<Other>(
    _ make: @escaping (Value) -> Other, from extract: @escaping (Other) -> Value
  ) -> Format<Other> {
    Format<Other>(
      expectation: expectation, example: example,
      read: { node, path, faults in read(node, path, &faults).map(make) },
      write: { write(extract($0)) }, describe: describe, type: type)
  }

  /// A value that may be absent; `null` stands for that.
  var optional: Format<Value?> {
    Format<Value?>(
      expectation: expectation, example: example,
      read: { node, path, faults in
        node.isNull ? .some(nil) : read(node, path, &faults).map { .some($0) }
      },
      write: { $0.map(write) ?? .null }, describe: describe, type: type)
  }
}

/// Texts and choices.
extension Format where Value == String {
  /// Any text; a number is taken as it is written.
  static func text(_ expectation: String = "a text", example: String) -> Format {
    Format(
      expectation: expectation, example: example,
      read: { node, path, faults in
        if let text = node.text, !node.isNull, !text.isEmpty { return text }
        faults.mismatch(node, path, expected: expectation, example: example)
        return nil
      },
      write: YAMLWriter.text)
  }
}

extension Format where Value == Bool {
  static var truth: Format {
    Format(
      expectation: "true or false", example: "true",
      read: { node, path, faults in
        if case .scalar(let text, false) = node.content, let truth = parseTruth(text) {
          return truth
        }
        faults.mismatch(node, path, expected: "true or false", example: "true")
        return nil
      },
      write: { .plain($0 ? "true" : "false") })
  }
}

extension Format where Value: Equatable {
  /// One of a few words, each standing for a value.
  static func word(_ words: KeyValuePairs<String, Value>) -> Format {
    let names = words.map(\.key)
    let expectation = names.count == 1 ? names[0] : alternatives(names)
    return Format(
      expectation: expectation, example: names[0],
      read: { node, path, faults in
        if let word = words.first(where: { $0.key == node.text }) { return word.value }
        let nearest = node.text.flatMap { nearestName(to: $0, among: names) }
        faults.add(
          at: node.place, path: path, "\(path) is \(node.summary)", expected: expectation,
          remedy: nearest.map { "write \($0)" } ?? "write one of these words")
        return nil
      },
      write: { value in
        .plain(words.first { $0.value == value }?.key ?? names[0])
      })
  }
}
