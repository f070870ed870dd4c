import Diagnostics

/// A table of the configuration, declared once: the same declaration reads it, finds its faults,
/// writes it and documents it.
struct Section<Root> {
  /// The value of a table without keys. Required keys hold stand-ins, which no one ever sees: a
  /// section that lacks one is a fault.
  var defaults: Root
  /// The key that a value without a table means: `max_pool: 2` is `max_pool: {size: 2}`.
  var mainKey: String?
  var keys: [Key<Root>]
  /// What keys demand of each other; asks first whether each by itself is sound.
  var check: (Root, SectionSite, inout Faults) -> Void = { _, _, _ in }

  /// - Parameter kind: Which of several kinds of section this is, for the advice on unknown keys.
  func read(
    _ node: ConfigurationNode?, at site: SectionSite, kind: KindAdvice? = nil,
    _ faults: inout Faults
  ) -> Root? {
    guard let entries = entries(of: node, at: site, &faults) else { return nil }
    let scan = UnknownKeys(
      names: keys.map(\.name), aliases: keys.flatMap(\.aliases), site: site, kind: kind)
    let meant = entries.compactMap { scan.report($0, &faults) }
    var root = defaults
    for key in keys {
      let given = entries.filter { $0.key == key.name || key.aliases.contains($0.key) }
      if given.count > 1 { reportSynonyms(given, site, &faults) }
      guard let entry = given.first(where: { !$0.value.isNull }) else {
        if key.isRequired, !meant.contains(key.name) {
          reportMissing(key, of: node, at: site, kind, &faults)
        }
        continue
      }
      let isMainValue = node?.entries == nil
      let path = isMainValue ? site.path : join(site.path, entry.key)
      key.read(entry.value, path, &faults, &root)
    }
    check(root, site, &faults)
    return root
  }

  func write(_ root: Root) -> [(String, ConfigurationNode)] {
    keys.compactMap { key in key.write(root).map { (key.name, $0) } }
  }

  func describe(path: String) -> [ConfigurationKey] {
    keys.flatMap { $0.describe(join(path, $0.name), defaults) }
  }

  /// The section as the value of a key.
  var format: Format<Root> {
    Format(
      expectation: expectation, example: example,
      read: { node, path, faults in
        read(node, at: SectionSite(path: path, place: node.place, node: node), &faults)
      },
      write: { .table(write($0)) }, describe: { describe(path: $0) }, type: { "a table" })
  }

  private var expectation: String {
    let table = "a table with \(alternatives(keys.map(\.name), "and"))"
    guard let main = keys.first(where: { $0.name == mainKey }) else { return table }
    return keys.count == 1 ? main.expectation : "\(main.expectation), or \(table)"
  }

  private var example: String {
    if let main = keys.first(where: { $0.name == mainKey }) { return main.example }
    let needed = keys.filter(\.isRequired)
    let shown = needed.isEmpty ? Array(keys.prefix(1)) : needed
    return "{\(shown.map { "\($0.name): \($0.example)" }.joined(separator: ", "))}"
  }

  /// The entries that `node` stands for; nil, with a fault, when it can be no table.
  private func entries(
    of node: ConfigurationNode?, at site: SectionSite, _ faults: inout Faults
  ) -> [ConfigurationNode.TableEntry]? {
    guard let node, !node.isNull else { return [] }
    guard let entries = node.entries else {
      if let mainKey { return [.init(key: mainKey, keyPlace: node.place, value: node)] }
      guard !keys.isEmpty else {
        reportNeedlessOptions(node, at: site, &faults)
        return nil
      }
      faults.mismatch(node, site.path, expected: expectation, example: example)
      return nil
    }
    guard let hidden = entries.first(where: { $0.key == ConfigurationNode.mainValueKey }) else {
      return entries
    }
    let named = entries.filter { $0.key != ConfigurationNode.mainValueKey }
    guard let mainKey else {
      faults.mismatch(hidden.value, site.path, expected: expectation, example: example)
      return nil
    }
    let main = ConfigurationNode.TableEntry(
      key: mainKey, keyPlace: hidden.keyPlace, value: hidden.value)
    return named.contains { $0.key == mainKey } ? named : [main] + named
  }

  private func reportMissing(
    _ key: Key<Root>, of node: ConfigurationNode?, at site: SectionSite, _ kind: KindAdvice?,
    _ faults: inout Faults
  ) {
    let path = join(site.path, key.name)
    let name = site.path.split(separator: ".").last.map(String.init) ?? ""
    let remedy: String
    if let kind, node == nil {
      remedy = "write \(name): {\(kind.tagKey): \(kind.kind), \(key.name): \(key.example)}"
    } else if mainKey == key.name, node?.entries == nil {
      remedy = "write \(name): \(key.example)"
    } else {
      let section = site.path.isEmpty ? "" : " under \(site.path)"
      remedy = "add \(key.name): \(key.example)\(section)"
    }
    faults.add(
      at: site.place, path: path, "\(path) is missing", expected: key.expectation, remedy: remedy)
  }

  private func reportNeedlessOptions(
    _ node: ConfigurationNode, at site: SectionSite, _ faults: inout Faults
  ) {
    let name = site.path.split(separator: ".").last.map(String.init) ?? site.path
    faults.add(
      at: node.place, path: site.path, "\(site.path) is \(node.summary)", expected: "no options",
      remedy: "write \(name) alone")
  }

  private func reportSynonyms(
    _ given: [ConfigurationNode.TableEntry], _ site: SectionSite, _ faults: inout Faults
  ) {
    let path = join(site.path, given[1].key)
    faults.add(
      at: given[1].keyPlace, path: path,
      "\(path) is another word for \(given[0].key), which is given too",
      expected: "one of the two", remedy: "remove \(given[1].key)")
  }
}

/// Where a section stands.
struct SectionSite {
  var path: String
  /// Of the table, or of whatever stands for a table without keys.
  var place: Place
  var node: ConfigurationNode?

  /// Whether no fault lies at any of these keys.
  func isSound(_ keys: String..., in faults: Faults) -> Bool {
    !keys.contains { faults.touch(join(path, $0)) }
  }

  /// The place of the value at a path, or of the innermost value on the way that exists.
  func place(at path: String) -> Place { node?.place(at: path) ?? place }

  /// The place of a key's value, or of the section when the key is not given.
  func place(of key: String) -> Place {
    node?.value(of: key)?.place ?? place
  }
}
