import Diagnostics

/// Which keys belong to which kind of a section: optimizers, schedules, losses, data formats.
struct KindAdvice {
  /// The key that names the kind, `kind` or `format`.
  var tagKey: String
  var kind: String
  var keysByKind: [(kind: String, keys: [String])]

  func kinds(with key: String) -> [String] {
    keysByKind.filter { $0.keys.contains(key) }.map(\.kind)
  }

  /// The kind among `kinds` that is most like this one: adamw for adam.
  func nearest(of kinds: [String]) -> String {
    kinds.min { editDistance($0, kind) < editDistance($1, kind) } ?? kind
  }
}

/// Finds keys that a section does not have, and says what was probably meant.
struct UnknownKeys {
  let names: [String]
  let aliases: [String]
  let site: SectionSite
  let kind: KindAdvice?

  /// - Returns: The key that was meant, when a key is unknown and a near one exists.
  func report(_ entry: ConfigurationNode.TableEntry, _ faults: inout Faults) -> String? {
    guard !names.contains(entry.key), !aliases.contains(entry.key) else { return nil }
    let path = join(site.path, entry.key)
    if let kind, !kind.kinds(with: entry.key).isEmpty {
      reportOtherKind(entry, kind, &faults)
      return nil
    }
    let nearest = nearestName(to: entry.key, among: names + aliases)
    let remedy =
      nearest.map { "write \($0) instead of \(entry.key)" }
      ?? adviceOnHome(of: entry.key)
      ?? "remove \(entry.key)"
    faults.add(
      at: entry.keyPlace, path: nearest.map { join(site.path, $0) } ?? path, "unknown key \(path)",
      expected: names.isEmpty ? "no keys here" : choices(names), remedy: remedy)
    return nearest
  }

  private func reportOtherKind(
    _ entry: ConfigurationNode.TableEntry, _ kind: KindAdvice, _ faults: inout Faults
  ) {
    let owners = kind.kinds(with: entry.key)
    let path = join(site.path, entry.key)
    faults.add(
      at: entry.keyPlace, path: path,
      "\(path) does not belong to \(kind.tagKey): \(kind.kind)",
      expected: "\(choices(names)); \(entry.key) is a key of \(alternatives(owners, "and"))",
      remedy: "remove \(entry.key), or write \(kind.tagKey): \(kind.nearest(of: owners))")
  }

  private func choices(_ names: [String]) -> String {
    names.count == 1 ? names[0] : "one of \(names.joined(separator: ", "))"
  }

  /// The other section in which a misplaced key would be right.
  private func adviceOnHome(of key: String) -> String? {
    let section = site.path.prefix { $0 != "." } + "."
    guard section != "model." else { return nil }
    let homes = ConfigurationKey.all.map(\.path).filter {
      !$0.hasPrefix("model.") && !$0.hasPrefix(section) && ($0 == key || $0.hasSuffix(".\(key)"))
    }
    guard !homes.isEmpty, homes.count <= 3 else { return nil }
    return "move it to \(alternatives(homes))"
  }
}
