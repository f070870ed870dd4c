import Graph

/// Where one parameter lies in the parameter buffer, in elements.
package struct ParameterSegment: Equatable, Sendable {
  package var name: String
  package var kind: ParameterKind
  package var offset: Int
  package var count: Int

  package init(name: String, kind: ParameterKind, offset: Int, count: Int) {
    self.name = name
    self.kind = kind
    self.offset = offset
    self.count = count
  }

  package var range: Range<Int> { offset..<offset + count }
}
