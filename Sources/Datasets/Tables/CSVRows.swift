import Diagnostics

/// One cell: where its text lies in the file.
struct CSVCell: Equatable {
  /// Bytes of the text, without surrounding quotes or blanks.
  var range: Range<Int>
  /// Whether doubled quotes inside stand for single ones.
  var hasEscapes: Bool
  var line: Int
  /// 1 for the first byte of the line.
  var column: Int
}

/// The rows of a CSV file, one after another.
///
/// Source: RFC 4180; blank lines are skipped, lines may end in LF or CRLF, blanks around unquoted cells
/// do not count.
struct CSVRows {
  let path: String
  let bytes: [UInt8]
  private let separator: UInt8
  private var position = 0
  private var line = 1
  private var lineStart = 0

  init(path: String, bytes: [UInt8], separator: UInt8) {
    self.path = path
    self.bytes = bytes
    self.separator = separator
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
      position = 3
      lineStart = 3
    }
  }

  func text(of cell: CSVCell) -> String {
    let text = String(decoding: bytes[cell.range], as: UTF8.self)
    return cell.hasEscapes ? text.replacing("\"\"", with: "\"") : text
  }

  func place(of cell: CSVCell) -> String { "\(path):\(cell.line):\(cell.column)" }

  /// Replaces `cells` by those of the next row that is not blank.
  ///
  /// - Returns: false at the end of the file.
  /// - Throws: a `Diagnostic` for quotes that do not match; reading can go on in the next line.
  mutating func next(into cells: inout [CSVCell]) throws -> Bool {
    skipBlankLines()
    cells.removeAll(keepingCapacity: true)
    guard position < bytes.count else { return false }
    while true {
      cells.append(try nextCell())
      guard position < bytes.count, bytes[position] == separator else { break }
      position += 1
    }
    endLine()
    return true
  }

  private mutating func nextCell() throws -> CSVCell {
    skipBlanks()
    if position < bytes.count, bytes[position] == .quote { return try quotedCell() }
    let start = position
    while position < bytes.count, bytes[position] != separator, bytes[position] != .newline {
      position += 1
    }
    var end = position
    while end > start, bytes[end - 1].isBlank { end -= 1 }
    return CSVCell(
      range: start..<end, hasEscapes: false, line: line, column: start - lineStart + 1)
  }

  private mutating func quotedCell() throws -> CSVCell {
    var cell = CSVCell(
      range: position..<position, hasEscapes: false, line: line, column: position - lineStart + 1)
    position += 1
    let start = position
    while position < bytes.count {
      if bytes[position] == .newline { startLine(at: position + 1) }
      if bytes[position] == .quote {
        guard position + 1 < bytes.count, bytes[position + 1] == .quote else { break }
        cell.hasEscapes = true
        position += 1
      }
      position += 1
    }
    guard position < bytes.count else { throw unclosed(cell) }
    cell.range = start..<position
    position += 1
    skipBlanks()
    if position < bytes.count, bytes[position] != separator, bytes[position] != .newline {
      throw textAfterQuote()
    }
    return cell
  }

  private mutating func skipBlanks() {
    while position < bytes.count, bytes[position].isBlank, bytes[position] != separator {
      position += 1
    }
  }

  private mutating func skipBlankLines() {
    while position < bytes.count {
      var end = position
      while end < bytes.count, bytes[end].isBlank { end += 1 }
      guard end < bytes.count, bytes[end] == .newline else {
        if end == bytes.count { position = end }
        return
      }
      position = end
      endLine()
    }
  }

  private mutating func endLine() {
    guard position < bytes.count else { return }
    position += 1
    startLine(at: position)
  }

  private mutating func startLine(at start: Int) {
    line += 1
    lineStart = start
  }

  private func unclosed(_ cell: CSVCell) -> Diagnostic {
    Diagnostic(
      place: place(of: cell), problem: "a quoted cell does not end",
      expected: "a closing quote", remedy: "close it, or write \"\" for a quote inside the text")
  }

  private mutating func textAfterQuote() -> Diagnostic {
    let fault = Diagnostic(
      place: "\(path):\(line):\(position - lineStart + 1)",
      problem: "a quoted cell goes on after its closing quote",
      expected: "the separator or the end of the line",
      remedy: "write \"\" for a quote inside the text")
    while position < bytes.count, bytes[position] != .newline { position += 1 }
    endLine()
    return fault
  }
}

extension UInt8 {
  fileprivate static var quote: UInt8 { 0x22 }
  fileprivate static var newline: UInt8 { 0x0A }

  /// A space, a tab or the CR before a LF.
  fileprivate var isBlank: Bool { self == 0x20 || self == 0x09 || self == 0x0D }
}
