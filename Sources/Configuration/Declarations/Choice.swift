import Diagnostics

/// A value that is one of several kinds, each with options of its own.
struct Choice<Value> {
  /// `optimizer`, `layer`: what the value is, in messages.
  var noun: String
  /// The key that names the kind beside the options: `{kind: adam, beta1: 0.9}`.
  var tagKey: String?
  /// Whether the kind itself may be the only key: `{huber: {delta: 1}}`.
  var isNamedFormAllowed = true
  /// Whether each kind has rows of its own in the table of keys.
  var isDocumentedByKind = false
  var example: String
  var variants: [Variant<Value>]

  var names: [String] { variants.map(\.name) }

  var expectation: String {
    names.count == 1 ? names[0] : "one of \(names.joined(separator: ", "))"
  }

  var format: Format<Value> {
    let isBareAllowed = tagKey == nil || isNamedFormAllowed
    return Format(
      expectation: isBareAllowed
        ? expectation : "a table with \(tagKey ?? "kind"), which is \(expectation)",
      example: example, read: { node, path, faults in read(node, path: path, &faults) },
      write: write, describe: describe, type: { type })
  }

  func read(_ node: ConfigurationNode, path: String, _ faults: inout Faults) -> Value? {
    guard let entries = node.entries else {
      if let name = node.text, !node.isNull { return readBare(name, node, path, &faults) }
      faults.mismatch(node, path, expected: expectation, example: example)
      return nil
    }
    if let tag = tag(among: entries) { return readTagged(tag, node, entries, path, &faults) }
    let areOptions = entries.allSatisfy { isOption($0.key) }
    if let tagKey, areOptions || !isNamedFormAllowed {
      reportMissing(tagKey, node, entries, path, &faults)
      return nil
    }
    return readNamed(node, entries, path, &faults)
  }

  func write(_ value: Value) -> ConfigurationNode {
    for variant in variants {
      guard let options = variant.write(value) else { continue }
      if let tagKey { return .table([(tagKey, .plain(variant.name))] + options) }
      return options.isEmpty ? .plain(variant.name) : .table([(variant.name, .table(options))])
    }
    preconditionFailure("no \(noun) of the configuration stands for \(value)")
  }

  func describe(path: String) -> [ConfigurationKey] {
    if tagKey != nil { return describeTagged(path) }
    return isDocumentedByKind ? describeNamed(path) : []
  }

  private var type: String {
    tagKey == nil ? alternatives(variants.map(\.form)) : "a table"
  }

  private func variant(_ name: String) -> Variant<Value>? {
    variants.first { $0.name == name }
  }

  private func isOption(_ key: String) -> Bool {
    variants.contains { $0.keyNames.contains(key) }
  }
}

/// The three ways of writing a choice.
extension Choice {
  /// `relu`
  private func readBare(
    _ name: String, _ node: ConfigurationNode, _ path: String, _ faults: inout Faults
  ) -> Value? {
    guard let variant = variant(name) else {
      reportUnknown(name, at: node.place, path: path, &faults)
      return nil
    }
    let optionsPath = tagKey == nil ? join(path, name) : path
    return variant.read(
      nil, SectionSite(path: optionsPath, place: node.place, node: nil), advice(name), &faults)
  }

  /// `{kind: adam, learning_rate: 0.001}`
  private func readTagged(
    _ tag: ConfigurationNode.TableEntry, _ node: ConfigurationNode,
    _ entries: [ConfigurationNode.TableEntry], _ path: String, _ faults: inout Faults
  ) -> Value? {
    guard let name = tag.value.text, let variant = variant(name) else {
      let shown = tag.value.text ?? tag.value.summary
      reportUnknown(shown, at: tag.value.place, path: join(path, tag.key), &faults)
      return nil
    }
    let options = ConfigurationNode(
      .table(entries.filter { $0.key != tag.key }), at: node.place)
    return variant.read(
      options, SectionSite(path: path, place: node.place, node: node), advice(name), &faults)
  }

  /// `{huber: {delta: 1}}`
  private func readNamed(
    _ node: ConfigurationNode, _ entries: [ConfigurationNode.TableEntry], _ path: String,
    _ faults: inout Faults
  ) -> Value? {
    guard entries.count == 1, let entry = entries.first else {
      reportCount(node, entries, path, &faults)
      for entry in entries {
        let site = SectionSite(path: join(path, entry.key), place: node.place, node: entry.value)
        _ = variant(entry.key)?.read(entry.value, site, nil, &faults)
      }
      return nil
    }
    guard let variant = variant(entry.key) else {
      reportUnknown(entry.key, at: entry.keyPlace, path: join(path, entry.key), &faults)
      return nil
    }
    let site = SectionSite(path: join(path, entry.key), place: node.place, node: entry.value)
    return variant.read(entry.value, site, nil, &faults)
  }

  private func tag(
    among entries: [ConfigurationNode.TableEntry]
  ) -> ConfigurationNode.TableEntry? {
    guard let tagKey else { return nil }
    return entries.first { $0.key == tagKey }
      ?? entries.first { $0.key == ConfigurationNode.mainValueKey }
  }

  private func advice(_ name: String) -> KindAdvice? {
    tagKey.map {
      KindAdvice(tagKey: $0, kind: name, keysByKind: variants.map { ($0.name, $0.keyNames) })
    }
  }
}

/// Faults of a choice, and its documentation.
extension Choice {
  private func reportMissing(
    _ tagKey: String, _ node: ConfigurationNode, _ entries: [ConfigurationNode.TableEntry],
    _ path: String, _ faults: inout Faults
  ) {
    let tagPath = join(path, tagKey)
    if let near = entries.first(where: { nearestName(to: $0.key, among: [tagKey]) != nil }) {
      faults.add(
        at: near.keyPlace, path: tagPath, "unknown key \(join(path, near.key))",
        expected: "\(tagKey), which is \(expectation)",
        remedy: "write \(tagKey) instead of \(near.key)")
      return
    }
    faults.add(
      at: node.place, path: tagPath, "\(tagPath) is missing", expected: expectation,
      remedy: "add \(tagKey): \(names[0]) under \(path)")
  }

  private func reportUnknown(
    _ name: String, at place: Place, path: String, _ faults: inout Faults
  ) {
    let nearest = nearestName(to: name, among: names)
    faults.add(
      at: place, path: path, "unknown \(noun) \(name)", expected: expectation,
      remedy: nearest.map { "write \($0) instead of \(name)" } ?? "write one of these words")
  }

  private func reportCount(
    _ node: ConfigurationNode, _ entries: [ConfigurationNode.TableEntry], _ path: String,
    _ faults: inout Faults
  ) {
    let kinds = entries.map {
      $0.key == ConfigurationNode.mainValueKey ? $0.value.text ?? "" : $0.key
    }
    let owner = kinds.first { variant($0) != nil }
    let strays = kinds.filter { $0 != owner }
    guard let owner, !strays.isEmpty else {
      faults.mismatch(node, path, expected: expectation, example: example)
      return
    }
    let place = entries[kinds.firstIndex(of: strays[0]) ?? 0].keyPlace
    let remedy: String
    if variant(strays[0]) == nil {
      remedy = "move \(alternatives(strays, "and")) inside \(owner): {...}"
    } else if place.isOverride {
      remedy = "write \(path)={\(strays[0]): ...} to replace the \(noun)"
    } else {
      remedy = "make \(strays[0]) a \(noun) of its own, or remove one of them"
    }
    faults.add(
      at: place, path: path, "\(path) has \(alternatives(strays, "and")) beside \(owner)",
      expected: "one \(noun), with its options inside: \(owner): {...}", remedy: remedy)
  }

  /// One row per kind, then the rows of its options.
  private func describeNamed(_ path: String) -> [ConfigurationKey] {
    variants.flatMap { variant in
      [variant.row(join(path, variant.name))] + variant.describe(join(path, variant.name))
    }
  }

  /// The kind, then every option once, with the kinds that have it.
  private func describeTagged(_ path: String) -> [ConfigurationKey] {
    var rows: [(key: ConfigurationKey, kinds: [String])] = []
    for variant in variants {
      for key in variant.describe(path) {
        if let index = rows.firstIndex(where: { $0.key == key }) {
          rows[index].kinds.append(variant.name)
        } else {
          rows.append((key, [variant.name]))
        }
      }
    }
    let tag = ConfigurationKey(
      path: join(path, tagKey ?? "kind"), type: expectation, default: "required",
      documentation: variants.map { "\($0.name): \($0.documentation)" }.joined(separator: " "))
    return [tag]
      + rows.map { row in
        var key = row.key
        if row.kinds.count < variants.count {
          key.documentation += " Only for \(alternatives(row.kinds, "and"))."
        }
        return key
      }
  }
}

/// One kind of a `Choice`.
struct Variant<Value> {
  let name: String
  let documentation: String
  let keyNames: [String]
  let read: (ConfigurationNode?, SectionSite, KindAdvice?, inout Faults) -> Value?
  /// The options of a value of this kind; nil for other kinds.
  let write: (Value) -> [(String, ConfigurationNode)]?
  let describe: (_ path: String) -> [ConfigurationKey]
  /// How it is written: `zeros`, `{normal: {mean, deviation}}`.
  var form: String {
    let options = keyNames.filter { !LayerChoice.commonKeys.contains($0) }
    if options.isEmpty { return name }
    let table = "{\(name): {\(options.joined(separator: ", "))}}"
    guard let mainKey else { return table }
    return options.count == 1 ? "{\(name): \(mainKey)}" : "{\(name): \(mainKey)} or \(table)"
  }
  private let mainKey: String?
  private let needsOptions: Bool

  private init(
    name: String, documentation: String, keyNames: [String], mainKey: String?, needsOptions: Bool,
    read: @escaping (ConfigurationNode?, SectionSite, KindAdvice?, inout Faults) -> Value?,
    write: @escaping (Value) -> [(String, ConfigurationNode)]?,
    describe: @escaping (String) -> [ConfigurationKey]
  ) {
    self.name = name
    self.documentation = documentation
    self.keyNames = keyNames
    self.mainKey = mainKey
    self.needsOptions = needsOptions
    self.read = read
    self.write = write
    self.describe = describe
  }

  /// A kind whose options are the keys of `section`.
  init<Options>(
    _ name: String, _ documentation: String, _ section: Section<Options>,
    make: @escaping (Options) -> Value, extract: @escaping (Value) -> Options?
  ) {
    self.name = name
    self.documentation = documentation
    keyNames = section.keys.map(\.name)
    mainKey = section.mainKey
    needsOptions = section.keys.contains(where: \.isRequired)
    read = { node, site, advice, faults in
      section.read(node, at: site, kind: advice, &faults).map(make)
    }
    write = { value in extract(value).map(section.write) }
    describe = { section.describe(path: $0) }
  }

  /// A kind without options.
  init(_ name: String, _ documentation: String, _ value: Value) where Value: Equatable {
    self.init(
      name, documentation, Section<Void>(defaults: (), keys: []), make: { value },
      extract: { $0 == value ? () : nil })
  }

  /// The same kind of a larger choice.
  func mapped<Outer>(
    _ make: @escaping (Value) -> Outer, _ extract: @escaping (Outer) -> Value?
  ) -> Variant<Outer> {
    Variant<Outer>(
      name: name, documentation: documentation, keyNames: keyNames, mainKey: mainKey,
      needsOptions: needsOptions,
      read: { node, site, advice, faults in read(node, site, advice, &faults).map(make) },
      write: { extract($0).flatMap(write) }, describe: describe)
  }

  func row(_ path: String) -> ConfigurationKey {
    ConfigurationKey(
      path: path, type: needsOptions || form == name ? form : "\(name) or \(form)", default: "",
      documentation: documentation)
  }
}
