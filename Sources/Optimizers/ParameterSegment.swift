import Graph

/// Where one parameter lies in the parameter buffer, in elements.
package struct ParameterSegment: Equatable, Sendable {
  package var name: String
  package var kind: ParameterKind
  package var offset: Int
  package var count: Int
  /// Updates leave a frozen one alone.
  package var isTrained: Bool

  package init(
    name: String, kind: ParameterKind, offset: Int, count: Int, isTrained: Bool = true
  ) {
    self.name = name
    self.kind = kind
    self.offset = offset
    self.count = count
    self.isTrained = isTrained
  }

  package var range: Range<Int> { offset..<offset + count }
}
