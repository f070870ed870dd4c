import Diagnostics

/// A building block of the model section: layers with parameters.
///
/// ```yaml
/// blocks:
///   conv_bn_relu:
///     parameters: {filters: null, kernel: 3, stride: 1}   # null: must be given
///     layers:
///       - conv2d: {filters: $filters, kernel: $kernel, stride: $stride, padding: same, bias: false}
///       - batch_norm
///       - relu
/// ```
struct BlockDefinition {
  struct Parameter {
    var name: String
    /// nil: must be given.
    var value: ConfigurationNode?
  }

  var name: String
  var place: Place
  var parameters: [Parameter]
  var layers: ConfigurationNode

  /// Reads an entry of `blocks`; faults are those of its form, and names that are no parameters.
  init?(_ entry: ConfigurationNode.TableEntry, path: String, _ faults: inout Faults) {
    name = entry.key
    place = entry.keyPlace
    let path = join(path, entry.key)
    guard Self.checkName(entry, path, &faults) else { return nil }
    guard let entries = entry.value.entries else {
      faults.mismatch(
        entry.value, path, expected: "a table with parameters and layers",
        example: "{parameters: {units: null}, layers: [{dense: $units}, relu]}")
      return nil
    }
    let scan = UnknownKeys(
      names: ["parameters", "layers"], aliases: [],
      site: SectionSite(path: path, place: entry.keyPlace, node: entry.value), kind: nil)
    for entry in entries { _ = scan.report(entry, &faults) }
    guard
      let parameters = Self.parameters(entry.value.value(of: "parameters"), path, &faults),
      let layers = Self.layers(entry, path, &faults)
    else { return nil }
    self.parameters = parameters
    self.layers = layers
    guard checkNames(path, &faults) else { return nil }
  }

  private static func checkName(
    _ entry: ConfigurationNode.TableEntry, _ path: String, _ faults: inout Faults
  ) -> Bool {
    if LayerChoice.names.contains(entry.key) {
      faults.add(
        at: entry.keyPlace, path: path, "\(path) has the name of a layer",
        expected: "a name that no layer has",
        remedy: "write my_\(entry.key), and use it by that name")
      return false
    }
    guard isWord(entry.key) else {
      faults.add(
        at: entry.keyPlace, path: path, "\(entry.key) is no name for a block",
        expected: "letters, digits and _, the first one no digit",
        remedy: "write, for example, conv_bn_relu")
      return false
    }
    return true
  }

  private static func parameters(
    _ node: ConfigurationNode?, _ path: String, _ faults: inout Faults
  ) -> [Parameter]? {
    guard let node, !node.isNull else { return [] }
    let path = join(path, "parameters")
    guard let entries = node.entries else {
      faults.mismatch(
        node, path, expected: "a table of names and defaults, null where there is none",
        example: "{filters: null, kernel: 3}")
      return nil
    }
    for entry in entries
    where !isWord(entry.key) || LayerChoice.commonKeys.contains(entry.key) {
      faults.add(
        at: entry.keyPlace, path: join(path, entry.key),
        "\(entry.key) is no name for a parameter of a block",
        expected: "letters, digits and _, the first one no digit; "
          + "\(alternatives(LayerChoice.commonKeys, "and")) are the layer's own",
        remedy: "write, for example, filters")
    }
    return entries.map { Parameter(name: $0.key, value: $0.value.isNull ? nil : $0.value) }
  }

  private static func layers(
    _ entry: ConfigurationNode.TableEntry, _ path: String, _ faults: inout Faults
  ) -> ConfigurationNode? {
    let path = join(path, "layers")
    guard let node = entry.value.value(of: "layers"), !node.isNull else {
      faults.add(
        at: entry.keyPlace, path: path, "\(path) is missing", expected: "a list of layers",
        remedy: "add layers: [relu] under it")
      return nil
    }
    guard let items = node.items, !items.isEmpty else {
      faults.mismatch(
        node, path, expected: "a list of layers", example: "[batch_norm, relu]")
      return nil
    }
    return node
  }

  /// Whether every `$name` is a parameter, and in a default one that stands before it.
  private func checkNames(_ path: String, _ faults: inout Faults) -> Bool {
    var isSound = true
    var known: [String] = []
    for parameter in parameters {
      if let value = parameter.value {
        isSound = check(value, among: known, path, &faults) && isSound
      }
      known.append(parameter.name)
    }
    return check(layers, among: known, path, &faults) && isSound
  }

  private func check(
    _ node: ConfigurationNode, among known: [String], _ path: String, _ faults: inout Faults
  ) -> Bool {
    switch node.content {
    case .list(let items):
      return items.reduce(true) { check($1, among: known, path, &faults) && $0 }
    case .table(let entries):
      return entries.reduce(true) { check($1.value, among: known, path, &faults) && $0 }
    case .scalar:
      guard let formula = node.formula else { return true }
      let unknown = formula.names.filter { !known.contains($0) }
      for name in unknown {
        let nearest = nearestName(to: name, among: known)
        faults.add(
          at: node.place, path: path, "$\(name) is no parameter of the block \(self.name)",
          expected: known.isEmpty
            ? "no parameters: none stand before this place"
            : "one of \(known.map { "$\($0)" }.joined(separator: ", "))",
          remedy: nearest.map { "write $\($0)" } ?? "add \(name): null to \(path).parameters")
      }
      return unknown.isEmpty
    }
  }

  private static func isWord(_ text: String) -> Bool {
    text.first.map { $0.isASCII && ($0.isLetter || $0 == "_") } ?? false
      && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
  }
}
