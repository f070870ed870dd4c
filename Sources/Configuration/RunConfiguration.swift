import Diagnostics
import Foundation
import Training

/// A configuration that has been read: the run it describes, and the places of its words.
package struct RunConfiguration: Sendable {
  package let spec: RunSpec
  /// The path of the file, as messages show it.
  package let file: String
  /// Every key with its effective value, as YAML; read again, it gives the same run.
  package let resolvedText: String
  /// The same as paths and values: `training.batch` is `512`, `model.layers.0.conv2d.filters` `32`.
  package let flattened: [String: String]

  private let places: PlaceIndex

  /// Finds, reads and checks a configuration.
  ///
  /// - Parameters:
  ///   - name: A path, or the bare name of a shipped configuration.
  ///   - overrides: `section.key=value`, applied in this order.
  /// - Throws: A `Diagnostic` or a `DiagnosticList` with every fault, in reading order.
  package static func load(
    _ name: String, overrides: [String] = [], search: ConfigurationSearch = .current()
  ) throws -> RunConfiguration {
    let path = try search.find(name)
    guard let bytes = FileManager.default.contents(atPath: search.absolute(path)) else {
      throw Diagnostic(
        place: path, problem: "the configuration cannot be read",
        expected: "a file that this user may read", remedy: "check its permissions: ls -l \(path)")
    }
    guard let text = String(data: bytes, encoding: .utf8) else {
      throw Diagnostic(
        place: path, problem: "the configuration is not UTF-8 text", expected: "YAML in UTF-8",
        remedy: "save it again as UTF-8")
    }
    return try RunConfiguration(reading: text, file: path, overrides: overrides, search: search)
  }

  /// Reads and checks the text of a configuration.
  ///
  /// - Parameter file: Its path, for messages, for relative data paths and for the run's name.
  package init(
    reading text: String, file: String, overrides: [String] = [], search: ConfigurationSearch
  ) throws {
    var faults = Faults()
    let root = try RunConfiguration.tree(text, file, overrides, &faults)
    let site = SectionSite(path: "", place: root.place, node: root)
    let draft = RunSection.section.read(root, at: site, &faults)
    try faults.throwIfAny()
    guard let draft else { preconditionFailure("\(file) has no value and no fault") }

    let absolute = search.absolute(file)
    let steps = absolute.split(separator: "/").map(String.init)
    let paths = DataPaths(
      folder: "/" + steps.dropLast().joined(separator: "/"), home: search.home)
    var spec = draft.finished(
      fileStem: ConfigurationSearch.withoutExtension(steps.last ?? "run"))
    spec.data.source = paths.resolve(spec.data.source)
    spec.initialWeights = spec.initialWeights.map { weights in
      var weights = weights
      weights.file = paths.resolve(weights.file)
      return weights
    }
    spec.outputFolder = paths.expandHome(spec.outputFolder)

    let resolved = ConfigurationNode.table(RunSection.section.write(RunDraft(spec)))
    self.spec = spec
    self.file = file
    resolvedText =
      "# Every key of this run with its effective value.\n" + YAMLWriter.document(resolved)
    flattened = resolved.flattened()
    places = PlaceIndex(root)
  }

  /// Where the value at `path` (`loss.class_weights`) stands, or the innermost section around it
  /// that is written down: for faults that only later stages can find.
  package func place(of path: String) -> String { places.place(of: path) }

  private static func tree(
    _ text: String, _ file: String, _ overrides: [String], _ faults: inout Faults
  ) throws -> ConfigurationNode {
    let document = try YAMLDocument(parsing: text, into: &faults) { line, column in
      .file(path: file, line: line, column: column)
    }
    var root = document.root
    if root.isNull { root.content = .table([]) }
    guard root.entries != nil else {
      throw Diagnostic(
        place: root.place.description, problem: "the configuration is \(root.summary)",
        expected: "sections such as data, model, loss and optimizer",
        remedy: "start with a line such as name: first")
    }
    for (index, text) in overrides.enumerated() {
      do {
        let override = try Override(parsing: text, index: index, into: &faults)
        override.apply(to: &root, &faults)
      } catch let fault as Diagnostic {
        faults.add(fault, at: .override(index: index, text: text))
      }
    }
    return BlockExpansion.expand(root, &faults)
  }
}

/// The places of all values by their paths.
private struct PlaceIndex: Sendable {
  private var places: [String: String] = [:]

  init(_ root: ConfigurationNode) { add(root, path: "") }

  func place(of path: String) -> String {
    var steps = path.split(separator: ".")
    while !steps.isEmpty {
      if let place = places[steps.joined(separator: ".")] { return place }
      steps.removeLast()
    }
    return places[""] ?? ""
  }

  private mutating func add(_ node: ConfigurationNode, path: String) {
    places[path] = node.place.description
    for entry in node.entries ?? [] { add(entry.value, path: join(path, entry.key)) }
    for (index, item) in (node.items ?? []).enumerated() {
      add(item, path: join(path, String(index)))
    }
  }
}

extension ConfigurationNode {
  /// Paths and texts of all values; a list of plain values is one text.
  func flattened(path: String = "") -> [String: String] {
    switch content {
    case .scalar(let text, _): return [path: text]
    case .table(let entries):
      return entries.reduce(into: [:]) { flat, entry in
        flat.merge(entry.value.flattened(path: join(path, entry.key))) { first, _ in first }
      }
    case .list(let items):
      guard items.contains(where: { $0.text == nil }) else { return [path: YAMLWriter.line(self)] }
      return items.enumerated().reduce(into: [:]) { flat, item in
        flat.merge(item.element.flattened(path: join(path, String(item.offset)))) { first, _ in
          first
        }
      }
    }
  }
}
