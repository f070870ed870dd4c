import Diagnostics

/// `training.max_steps=40`: one value of the configuration, given on the command line.
struct Override {
  let steps: [String]
  let value: ConfigurationNode

  /// - Parameter index: Its position among the overrides, which orders the faults.
  init(parsing text: String, index: Int, into faults: inout Faults) throws {
    let place = Place.override(index: index, text: text)
    guard let sign = text.firstIndex(of: "=") else {
      throw Override.malformed(place, "has no = sign")
    }
    steps = text[..<sign].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard !steps.contains("") else {
      throw Override.malformed(place, "has an empty key")
    }
    let yaml = String(text[text.index(after: sign)...])
    value = try YAMLDocument(parsing: yaml, into: &faults, place: { _, _ in place }).root
  }

  /// Puts the value into `root`, making the tables on its way there.
  func apply(to root: inout ConfigurationNode, _ faults: inout Faults) {
    set(steps[...], in: &root, path: "", &faults)
  }

  private func set(
    _ steps: ArraySlice<String>, in node: inout ConfigurationNode, path: String,
    _ faults: inout Faults
  ) {
    guard let key = steps.first else {
      node = value
      return
    }
    if case .list(var items) = node.content {
      guard let index = Int(key), items.indices.contains(index) else {
        reportIndex(key, count: items.count, path: path, &faults)
        return
      }
      set(steps.dropFirst(), in: &items[index], path: join(path, key), &faults)
      node.content = .list(items)
      return
    }
    var entries = tableEntries(of: node, before: key)
    let position =
      entries.firstIndex { $0.key == key }
      ?? {
        entries.append(
          .init(key: key, keyPlace: value.place, value: .init(.table([]), at: value.place)))
        return entries.count - 1
      }()
    set(steps.dropFirst(), in: &entries[position].value, path: join(path, key), &faults)
    node.content = .table(entries)
  }

  /// What `node` holds as a table: `relu` is `relu: {}`, and a main value keeps its place beside
  /// the new key.
  private func tableEntries(
    of node: ConfigurationNode, before key: String
  ) -> [ConfigurationNode.TableEntry] {
    if let entries = node.entries { return entries }
    if node.isNull { return [] }
    if node.text == key {
      return [.init(key: key, keyPlace: node.place, value: .init(.table([]), at: node.place))]
    }
    return [.init(key: ConfigurationNode.mainValueKey, keyPlace: node.place, value: node)]
  }

  private func reportIndex(_ key: String, count: Int, path: String, _ faults: inout Faults) {
    let indices =
      count < 2 ? "a list of \(counted(count, "entry"))" : "an index from 0 to \(count - 1)"
    faults.add(
      at: value.place, path: path, "\(path) has no entry \(key)", expected: indices,
      remedy: "count the entries of \(path) from 0, or write all of it: \(path)=[...]")
  }

  private static func malformed(_ place: Place, _ what: String) -> Diagnostic {
    Diagnostic(
      place: place.description, problem: "the override \(what)",
      expected: "section.key=value, as in training.epochs=3",
      remedy: "name the key as in the configuration, with dots between the sections")
  }
}
