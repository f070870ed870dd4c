import Diagnostics

/// How another program calls a model's tensors.
///
/// A path of ours (`layers.4.1.2.0.main.0.0`, the name without its last word) is a head and, behind it, a tail, or a head
/// alone; each is exchanged by itself. A component `{k}` of ours stands for any whole number, which the other
/// side may use as `{k}`, `{k+1}` or `{k-2}`. The last word (`weight`, `bias`, `running_mean`) stays. Of several rules
/// that fit the first one counts.
package struct WeightNames: Equatable, Sendable {
  package var heads: [WeightNameRule]
  package var tails: [WeightNameRule]

  package init(heads: [WeightNameRule], tails: [WeightNameRule]) {
    self.heads = heads
    self.tails = tails
  }

  /// The other program's name of our tensor; nil: no rule fits.
  package func name(of ours: String) -> String? {
    var path = ours.split(separator: ".")
    guard let last = path.popLast() else { return nil }
    for head in heads {
      guard let (start, rest) = head.exchanged(path[...]) else { continue }
      if rest.isEmpty { return "\(start).\(last)" }
      for tail in tails {
        if let (end, none) = tail.exchanged(rest), none.isEmpty {
          return "\(start).\(end).\(last)"
        }
      }
    }
    return nil
  }
}

/// One line of such a table: `layers.{s}.0: layer{s-2}.0`.
package struct WeightNameRule: Equatable, Sendable {
  private enum Component: Equatable, Sendable {
    case word(Substring)
    case number(String)
  }

  private enum Piece: Equatable, Sendable {
    case text(Substring)
    case number(String, plus: Int)
  }

  private let pattern: [Component]
  private let template: [Piece]

  /// nil where a brace is left open, or what is inside of braces is no name, or a name that `ours` has not.
  package init?(ours: String, theirs: String) {
    let components = ours.split(separator: ".", omittingEmptySubsequences: false)
    pattern = components.map { component in
      guard component.hasPrefix("{"), component.hasSuffix("}") else { return .word(component) }
      return .number(String(component.dropFirst().dropLast()))
    }
    guard let template = Self.pieces(theirs) else { return nil }
    self.template = template
    var names = Set<String>()
    for component in pattern {
      switch component {
      case .word(let word):
        if word.isEmpty || word.contains(where: { "{}".contains($0) }) { return nil }
      case .number(let name):
        if !Self.isName(name) || !names.insert(name).inserted { return nil }
      }
    }
    for case .number(let name, _) in template where !names.contains(name) { return nil }
  }

  /// The other side of a path that begins like ours, and the rest of the path.
  func exchanged(_ path: ArraySlice<Substring>) -> (String, rest: ArraySlice<Substring>)? {
    guard path.count >= pattern.count else { return nil }
    var numbers: [String: Int] = [:]
    for (component, word) in zip(pattern, path) {
      switch component {
      case .word(let expected): if word != expected { return nil }
      case .number(let name):
        guard let number = Int(word) else { return nil }
        numbers[name] = number
      }
    }
    let text = template.map { piece in
      switch piece {
      case .text(let text): String(text)
      case .number(let name, let plus): "\((numbers[name] ?? 0) + plus)"
      }
    }
    return (text.joined(), path.dropFirst(pattern.count))
  }

  private static func pieces(_ text: String) -> [Piece]? {
    var pieces: [Piece] = []
    var rest = Substring(text)
    while let open = rest.firstIndex(of: "{") {
      guard let close = rest[open...].firstIndex(of: "}") else { return nil }
      let inside = rest[rest.index(after: open)..<close]
      let name = String(inside.prefix { $0 != "+" && $0 != "-" })
      let offset = inside.dropFirst(name.count)
      guard isName(name), let plus = offset.isEmpty ? 0 : Int(offset) else { return nil }
      pieces += [.text(rest[..<open]), .number(name, plus: plus)]
      rest = rest[rest.index(after: close)...]
    }
    return rest.contains("}") ? nil : pieces + [.text(rest)]
  }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && text.allSatisfy { $0.isASCII && $0.isLetter }
  }
}
