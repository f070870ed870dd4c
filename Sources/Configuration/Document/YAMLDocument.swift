import Diagnostics
import Yams

/// One YAML document, turned into nodes that know their places.
struct YAMLDocument {
  let root: ConfigurationNode

  /// Parses `text`.
  ///
  /// - Parameter place: Says where a mark of the parser (line and column from 1) stands for the
  ///   user.
  /// - Throws: A `Diagnostic` when the text is no YAML. Keys given twice go to `faults`.
  init(
    parsing text: String, into faults: inout Faults,
    place: @escaping (_ line: Int, _ column: Int) -> Place
  ) throws {
    let source = try YAMLSource(composing: text, place: place)
    guard let root = source.root else {
      self.root = ConfigurationNode(.scalar("", isQuoted: false), at: place(1, 1))
      return
    }
    let converter = NodeConverter(originalKeys: source.originalKeys, place: place)
    self.root = converter.convert(root, path: "", &faults)
  }
}

/// Turns the parser's nodes into ours.
private struct NodeConverter {
  let originalKeys: [MarkKey: String]
  let place: (Int, Int) -> Place

  func convert(_ node: Node, path: String, _ faults: inout Faults) -> ConfigurationNode {
    let here = place(of: node)
    switch node {
    case .scalar(let scalar):
      let isPlain = scalar.style == .plain || scalar.style == .any
      return ConfigurationNode(.scalar(scalar.string, isQuoted: !isPlain), at: here)
    case .sequence(let sequence):
      let items = sequence.enumerated().map {
        convert($0.element, path: join(path, String($0.offset)), &faults)
      }
      return ConfigurationNode(.list(items), at: here)
    case .mapping(let mapping):
      return ConfigurationNode(.table(entries(of: mapping, path: path, &faults)), at: here)
    case .alias:
      // The parser has already put the anchored node in place of every alias.
      return ConfigurationNode(.scalar("", isQuoted: false), at: here)
    }
  }

  /// The entries of a table; of a key given twice the first one stays.
  private func entries(
    of mapping: Node.Mapping, path: String, _ faults: inout Faults
  ) -> [ConfigurationNode.TableEntry] {
    var entries: [ConfigurationNode.TableEntry] = []
    for (keyNode, valueNode) in mapping {
      let keyPlace = place(of: keyNode)
      guard let key = key(of: keyNode) else {
        faults.add(
          at: keyPlace, path: path, "a key is a list or a table", expected: "a word as the key",
          remedy: "remove the brackets, or put the text in quotes")
        continue
      }
      let keyPath = join(path, key)
      if let first = entries.first(where: { $0.key == key }) {
        faults.add(
          at: keyPlace, path: keyPath, "\(keyPath) is given twice",
          expected: "each key once; the first one is at \(first.keyPlace.description)",
          remedy: "remove one of the two")
        continue
      }
      let value = convert(valueNode, path: keyPath, &faults)
      entries.append(.init(key: key, keyPlace: keyPlace, value: value))
    }
    return entries
  }

  private func key(of node: Node) -> String? {
    guard case .scalar(let scalar) = node else { return nil }
    return scalar.mark.flatMap { originalKeys[MarkKey($0)] } ?? scalar.string
  }

  private func place(of node: Node) -> Place {
    place(node.mark?.line ?? 1, node.mark?.column ?? 1)
  }
}

/// `training` and `batch` make `training.batch`; the document itself has no name.
func join(_ path: String, _ key: String) -> String {
  path.isEmpty ? key : "\(path).\(key)"
}
