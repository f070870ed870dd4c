/// Rows of words in aligned columns, two spaces apart; numbers usually stand to the right.
package struct TextTable: Sendable {
  package enum Alignment: Sendable {
    case left
    case right
  }

  private let alignments: [Alignment]
  private var rows: [[String]] = []

  /// One alignment per column.
  package init(_ alignments: [Alignment]) {
    self.alignments = alignments
  }

  /// Adds a row; missing cells at its end stay empty.
  package mutating func append(_ cells: [String]) {
    precondition(
      cells.count <= alignments.count, "\(cells.count) cells, \(alignments.count) columns")
    rows.append(cells)
  }

  /// The rows without trailing spaces.
  package var lines: [String] {
    let widths = alignments.indices.map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { column, cell in
        padded(cell, to: widths[column], alignments[column])
      }
      return trimmedEnd(cells.joined(separator: "  "))
    }
  }
}

/// `text` filled up with spaces to `width` columns; a longer text stays as it is.
package func padded(_ text: String, to width: Int, _ alignment: TextTable.Alignment) -> String {
  let filler = String(repeating: " ", count: max(0, width - text.count))
  return alignment == .left ? text + filler : filler + text
}

private func trimmedEnd(_ text: String) -> String {
  guard let last = text.lastIndex(where: { $0 != " " }) else { return "" }
  return String(text[...last])
}
