import Diagnostics
import Foundation
import Training

/// The file of another program's names: beside `resnet-50.yaml`, `resnet-50.names`.
///
/// ```yaml
/// heads:
///   layers.{s}.0: layer{s-2}.0
/// tails:
///   main.0.0: conv1
/// ```
extension WeightNames {
  /// - Parameter path: nil: beside the configuration.
  /// - Returns: The names, and where they stand.
  package static func load(
    _ path: String?, of configuration: RunConfiguration,
    search: ConfigurationSearch = .current()
  ) throws -> (names: WeightNames, place: String) {
    let path = path ?? "\(ConfigurationSearch.withoutExtension(configuration.file)).names"
    guard let bytes = FileManager.default.contents(atPath: search.absolute(path)),
      let text = String(data: bytes, encoding: .utf8)
    else {
      throw Diagnostic(
        place: path, problem: "the names cannot be read",
        expected: "a UTF-8 file with heads and tails, beside the configuration or given by --names",
        remedy: "write one: configs/resnet-50.names shows how")
    }
    return (try WeightNames(reading: text, file: path), path)
  }

  /// - Parameter file: Its path, for messages.
  package init(reading text: String, file: String) throws {
    var faults = Faults()
    let root = try YAMLDocument(parsing: text, into: &faults) { line, column in
      .file(path: file, line: line, column: column)
    }.root
    guard let entries = root.entries else {
      throw Diagnostic(
        place: root.place.description, problem: "the names are \(root.summary)",
        expected: "a table with heads and tails",
        remedy: "begin with heads: and, below it, a line such as layers.0: conv1")
    }
    let scan = UnknownKeys(
      names: ["heads", "tails"], aliases: [],
      site: SectionSite(path: "", place: root.place, node: root), kind: nil)
    for entry in entries { _ = scan.report(entry, &faults) }
    self.init(
      heads: Self.rules(root.value(of: "heads"), "heads", &faults),
      tails: Self.rules(root.value(of: "tails"), "tails", &faults))
    try faults.throwIfAny()
  }

  private static func rules(
    _ node: ConfigurationNode?, _ path: String, _ faults: inout Faults
  ) -> [WeightNameRule] {
    guard let node, !node.isNull else { return [] }
    guard let entries = node.entries else {
      faults.mismatch(
        node, path, expected: "a table of names, ours: theirs", example: "{layers.0: conv1}")
      return []
    }
    return entries.compactMap { entry in
      if let theirs = entry.value.text, !entry.value.isNull,
        let rule = WeightNameRule(ours: entry.key, theirs: theirs)
      {
        return rule
      }
      faults.add(
        at: entry.keyPlace, path: join(path, entry.key),
        "\(entry.key): \(YAMLWriter.line(entry.value)) is no pair of names",
        expected: "words and numbers in braces, such as layers.{s}.0: layer{s-2}.0",
        remedy: "close every brace, and name on the right only what stands on the left")
      return nil
    }
  }
}
