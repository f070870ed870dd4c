import Configuration
import Foundation
import Testing

/// The table of keys in `README.md` is the code's own. After a change of keys:
///
/// ```sh
/// UPDATE_README=1 swift test -c release --filter ReadmeTests
/// ```
@Suite("README")
struct ReadmeTests {
  private let path = Command.repository.appendingPathComponent("README.md")
  private let borders = ("<!-- keys:begin -->\n", "<!-- keys:end -->")

  @Test("lists every key of the configuration, with its default and meaning")
  func keys() throws {
    let text = try String(contentsOf: path, encoding: .utf8)
    let start = try #require(text.range(of: borders.0), "\(borders.0) is not in README.md")
    let end = try #require(text.range(of: borders.1), "\(borders.1) is not in README.md")
    let table = ConfigurationKey.markdownTable()
    if ProcessInfo.processInfo.environment["UPDATE_README"] != nil {
      let updated = text[..<start.upperBound] + table + text[end.lowerBound...]
      try String(updated).write(to: path, atomically: true, encoding: .utf8)
      return
    }
    let shown = text[start.upperBound..<end.lowerBound].split(separator: "\n")
    let wanted = table.split(separator: "\n")
    let missing = Set(wanted).subtracting(shown).sorted().first ?? "nothing"
    let unknown = Set(shown).subtracting(wanted).sorted().first ?? "nothing"
    let isTrue = shown == wanted
    #expect(isTrue, "missing: \(missing), unknown: \(unknown)")
  }

  @Test("names no key outside the table that does not exist")
  func mentionedKeys() throws {
    let sections = [
      "training", "optimizer", "schedule", "data", "checkpoint", "evaluation", "audit", "output",
      "plan", "placement",
    ]
    let known = Set(ConfigurationKey.all.map(\.path))
    let pattern = try Regex("`((?:\(sections.joined(separator: "|")))\\.[a-z_0-9.]+)`")
    let text = try String(contentsOf: path, encoding: .utf8)
    for match in text.matches(of: pattern) {
      let key = match.output[1].substring.map(String.init) ?? ""
      let isSection = known.contains { $0.hasPrefix(key + ".") }
      let isFile = key.hasSuffix(".json")
      #expect(known.contains(key) || isSection || isFile, "\(key)")
    }
  }
}
