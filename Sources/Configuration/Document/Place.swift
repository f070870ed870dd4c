/// Where a word of the configuration stands: in its file, or on the command line.
///
/// Places of the file come first, in reading order; then the overrides, in the order given.
enum Place: Hashable, Comparable {
  /// Line and column count from 1.
  case file(path: String, line: Int, column: Int)
  case override(index: Int, text: String)

  /// Of values that this program wrote itself.
  static let unplaced = Place.file(path: "", line: 0, column: 0)

  var isOverride: Bool {
    if case .override = self { true } else { false }
  }

  var description: String {
    switch self {
    case .file(let path, let line, let column): "\(path):\(line):\(column)"
    case .override(_, let text): "command line: \(text)"
    }
  }

  static func < (left: Place, right: Place) -> Bool {
    switch (left, right) {
    case (.file(_, let leftLine, let leftColumn), .file(_, let rightLine, let rightColumn)):
      (leftLine, leftColumn) < (rightLine, rightColumn)
    case (.override(let leftIndex, _), .override(let rightIndex, _)): leftIndex < rightIndex
    case (.file, .override): true
    case (.override, .file): false
    }
  }
}
