import Diagnostics

/// Replaces every use of a block in the model section by a `sequence` of the block's layers, before anything else is
/// read: blocks exist in the file only.
///
/// ```yaml
/// - conv_bn_relu: {filters: 64, name: stem}       # becomes
/// - sequence: {name: stem, layers: [{conv2d: {filters: 64, ...}}, batch_norm, relu]}
/// ```
/// What is put in place of a parameter keeps the place where it was written, so that a fault in an argument is shown
/// where the block is used and a fault in the block where it is defined.
struct BlockExpansion {
  private let definitions: [BlockDefinition]
  private let faultyNames: [String]

  /// The keys of layers that hold a list of layers, and those that hold lists of them.
  private static let lists = ["layers", "main", "shortcut"]
  private static let listsOfLists = ["branches"]

  /// `root` with its blocks expanded and their definitions gone.
  static func expand(_ root: ConfigurationNode, _ faults: inout Faults) -> ConfigurationNode {
    guard case .table(var sections) = root.content,
      let index = sections.firstIndex(where: { $0.key == "model" }),
      case .table(var keys) = sections[index].value.content,
      let blocks = keys.first(where: { $0.key == "blocks" })
    else { return root }
    let expansion = BlockExpansion(blocks.value, &faults)
    keys.removeAll { $0.key == "blocks" }
    for position in keys.indices where keys[position].key == "layers" {
      keys[position].value = expansion.expanded(
        list: keys[position].value, path: "model.layers", &faults)
    }
    sections[index].value.content = .table(keys)
    return ConfigurationNode(.table(sections), at: root.place)
  }

  private init(_ node: ConfigurationNode, _ faults: inout Faults) {
    guard !node.isNull else {
      (definitions, faultyNames) = ([], [])
      return
    }
    guard let entries = node.entries else {
      (definitions, faultyNames) = ([], [])
      faults.mismatch(
        node, "model.blocks", expected: "a table of blocks, each with parameters and layers",
        example: "{conv_relu: {parameters: {filters: null}, layers: [...]}}")
      return
    }
    var definitions: [BlockDefinition] = []
    for entry in entries {
      if let block = BlockDefinition(entry, path: "model.blocks", &faults) {
        definitions.append(block)
      }
    }
    definitions = BlockDefinition.withoutCycles(definitions, &faults)
    self.definitions = definitions
    let known = definitions.map(\.name)
    faultyNames = entries.map(\.key).filter { !known.contains($0) }
  }

  private func expanded(
    list: ConfigurationNode, path: String, _ faults: inout Faults
  ) -> ConfigurationNode {
    guard let items = list.items else { return list }
    let layers = items.enumerated().map { index, item in
      expanded(layer: item, path: join(path, String(index)), &faults)
    }
    return ConfigurationNode(.list(layers), at: list.place)
  }

  private func expanded(
    layer: ConfigurationNode, path: String, _ faults: inout Faults
  ) -> ConfigurationNode {
    if let name = layer.text, !layer.isNull {
      return expandedUse(of: name, layer.place, nil, layer, path, &faults)
    }
    guard let entries = layer.entries, entries.count == 1 else { return layer }
    return expandedUse(
      of: entries[0].key, entries[0].keyPlace, entries[0].value, layer, path,
      &faults)
  }

  private func expandedUse(
    of name: String, _ place: Place, _ given: ConfigurationNode?, _ layer: ConfigurationNode,
    _ path: String, _ faults: inout Faults
  ) -> ConfigurationNode {
    let path = join(path, name)
    guard let block = definitions.first(where: { $0.name == name }) else {
      return isUnknown(name, place, path, &faults)
        ? nothing(at: layer.place) : expandedInside(layer, path, &faults)
    }
    guard let arguments = BlockArguments(block, given, at: place, path: path, &faults),
      let layers = arguments.layers(path: path, &faults)
    else { return nothing(at: layer.place) }
    let inner = expanded(list: layers, path: path, &faults)
    let list = ConfigurationNode.TableEntry(key: "layers", keyPlace: place, value: inner)
    let table = ConfigurationNode(.table(arguments.common + [list]), at: layer.place)
    return ConfigurationNode(
      .table([.init(key: "sequence", keyPlace: place, value: table)]), at: layer.place)
  }

  /// A layer of its own, whose options may hold lists of layers.
  private func expandedInside(
    _ layer: ConfigurationNode, _ path: String, _ faults: inout Faults
  ) -> ConfigurationNode {
    guard case .table(var kinds) = layer.content else { return layer }
    if kinds[0].key == "sequence", kinds[0].value.items != nil {
      kinds[0].value = expanded(list: kinds[0].value, path: path, &faults)
    }
    guard case .table(var options) = kinds[0].value.content else {
      return ConfigurationNode(.table(kinds), at: layer.place)
    }
    for position in options.indices {
      let (key, value) = (options[position].key, options[position].value)
      let path = join(path, key)
      if Self.lists.contains(key) {
        options[position].value = expanded(list: value, path: path, &faults)
      } else if Self.listsOfLists.contains(key), let lists = value.items {
        let branches = lists.enumerated().map { index, list in
          expanded(list: list, path: join(path, String(index)), &faults)
        }
        options[position].value.content = .list(branches)
      }
    }
    kinds[0].value.content = .table(options)
    return ConfigurationNode(.table(kinds), at: layer.place)
  }

  /// Whether no layer has the name, after a fault that tells of blocks too.
  private func isUnknown(
    _ name: String, _ place: Place, _ path: String, _ faults: inout Faults
  ) -> Bool {
    if faultyNames.contains(name) { return true }
    let blocks = definitions.map(\.name)
    let layers = LayerChoice.names
    guard !layers.contains(name), name != ConfigurationNode.mainValueKey else { return false }
    let nearest = nearestName(to: name, among: blocks + layers)
    faults.add(
      at: place, path: path, "unknown layer \(name)",
      expected: "a block (\(blocks.joined(separator: ", "))) or one of "
        + layers.joined(separator: ", "),
      remedy: nearest.map { "write \($0) instead of \(name)" } ?? "write one of these words")
    return true
  }

  /// In place of a layer with a fault, so that it is reported once.
  private func nothing(at place: Place) -> ConfigurationNode {
    ConfigurationNode(.scalar("identity", isQuoted: false), at: place)
  }
}
