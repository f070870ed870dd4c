/// Every fault that one look at the input found, so that the user repairs all of them at once.
package struct DiagnosticList: Error, Equatable, Sendable, CustomStringConvertible {
  package private(set) var items: [Diagnostic]

  package init(_ items: [Diagnostic] = []) {
    self.items = items
  }

  package var isEmpty: Bool { items.isEmpty }

  package mutating func append(_ item: Diagnostic) {
    if !items.contains(item) { items.append(item) }
  }

  /// Takes over what `error` says of the user's input; rethrows what is no diagnostic.
  package mutating func append(contentsOf error: any Error) throws {
    switch error {
    case let item as Diagnostic: append(item)
    case let list as DiagnosticList: list.items.forEach { append($0) }
    default: throw error
    }
  }

  /// Runs `body`, keeping its diagnostics instead of letting the first one end the look.
  package mutating func collect<Result>(_ body: () throws -> Result) throws -> Result? {
    do { return try body() } catch {
      try append(contentsOf: error)
      return nil
    }
  }

  package func throwIfAny() throws {
    if !isEmpty { throw self }
  }

  package var description: String {
    items.map(\.description).joined(separator: "\n")
  }
}
