/// One key of the configuration, as documentation shows it.
package struct ConfigurationKey: Equatable, Sendable {
  /// `training.batch`; entries of a list are `N`: `model.layers.N.conv2d.filters`.
  package var path: String
  /// `a whole number, at least 1`
  package var type: String
  /// `128`, `null`, or `required`.
  package var `default`: String
  package var documentation: String

  package init(path: String, type: String, default: String, documentation: String) {
    self.path = path
    self.type = type
    self.default = `default`
    self.documentation = documentation
  }

  /// Every key there is, in the order of the sections.
  package static var all: [ConfigurationKey] {
    RunSection.section.describe(path: "")
  }

  /// The keys as a table in Markdown, one row each.
  package static func markdownTable(of keys: [ConfigurationKey] = all) -> String {
    let header = "| key | value | default | meaning |\n| --- | --- | --- | --- |\n"
    return header + keys.map(\.markdownRow).joined()
  }

  private var markdownRow: String {
    let isProse = ["", "required"].contains(self.default) || self.default.first == "("
    let shownDefault = isProse ? self.default : "`\(self.default)`"
    let cells = ["`\(path)`", type, shownDefault, documentation]
    let escaped = cells.map { $0.replacing("|", with: "\\|") }
    return "| \(escaped.joined(separator: " | ")) |\n"
  }
}
