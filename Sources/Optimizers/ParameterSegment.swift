/// What a parameter is to the model; biases and norms are spared decay and penalties unless the spec says otherwise.
package enum ParameterKind: String, CaseIterable, Sendable {
  case weight
  case bias
  case normScale
  case normShift
}

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
