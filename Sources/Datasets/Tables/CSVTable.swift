import Diagnostics

// Letters: R rows, K numeric columns, W categorical columns, T target columns.

/// A CSV file's cells as numbers and numbered words, before words get their meaning.
struct CSVTable {
  var path: String
  /// `[R, K]`
  var numbers: [Float] = []
  /// `[R, W]`, numbers of words in the tables that all files share.
  var words: [Int32] = []
  /// `[R]` words of the class column; empty unless targets are classes.
  var labels: [Int32] = []
  /// `[R, T]`; empty if targets are classes.
  var values: [Float] = []
  /// `[R]` where the row's label stands, for messages.
  var labelPlaces: [(line: Int32, column: Int32)] = []
  var rowCount = 0

  init(path: String) {
    self.path = path
  }
}

/// Words seen so far, by column.
struct CSVWords {
  var categories: [WordTable]
  var labels = WordTable()
}

/// How faults in cells are repaired.
struct CSVAdvice {
  /// Where nothing stands, where a word stands, and where nan or inf does.
  var missing: String
  var word: String
  var endless: String

  static let table = CSVAdvice(
    missing: "fill the cell or remove the row",
    word: "repair the cell, or list the column in data.categorical or data.ignore",
    endless: "repair the cell or remove the row")

  /// Rows of a series cannot just go: they are equally far from each other.
  static let series = CSVAdvice(
    missing: "fill the cell, for example from the rows around it",
    word: "repair the cell, or list the column in data.ignore",
    endless: "repair the cell, for example from the rows around it")
}

/// At most this many faults per file are told one by one.
private let faultLimit = 10

/// Reads rows into a table, collecting faults.
struct CSVTableReader {
  private var rows: CSVRows
  private(set) var header: [String] = []
  private let advice: CSVAdvice
  private var faults: [Diagnostic] = []
  private var faultCount = 0

  /// Opens the file and reads its header.
  init(path: String, separator: UInt8, advice: CSVAdvice = .table) throws {
    self.advice = advice
    var file = try InputFile(path: path)
    rows = CSVRows(path: path, bytes: try file.readToEnd(), separator: separator)
    var cells: [CSVCell] = []
    guard try rows.next(into: &cells) else {
      throw Diagnostic(
        place: "\(path):1:1", problem: "the file is empty",
        expected: "a header with the names of the columns, then one row per sample",
        remedy: "name a file with data")
    }
    header = cells.map { rows.text(of: $0) }
  }

  var path: String { rows.path }
  var headerPlace: String { "\(path):1:1" }

  /// Reads all rows.
  ///
  /// - Throws: a `DiagnosticList` of the faults in cells and rows.
  mutating func table(
    columns: CSVColumns, target: TargetKind, words: inout CSVWords
  ) throws -> CSVTable {
    var table = CSVTable(path: path)
    var cells: [CSVCell] = []
    while true {
      do { guard try rows.next(into: &cells) else { break } } catch let fault as Diagnostic {
        note(fault)
        continue
      }
      if cells.count == header.count {
        append(cells, columns: columns, target: target, to: &table, &words)
      } else {
        note(ragged(cells))
      }
    }
    if faultCount == 0, table.rowCount == 0 { throw noSamples(path) }
    try throwFaults()
    return table
  }

  private mutating func append(
    _ cells: [CSVCell], columns: CSVColumns, target: TargetKind, to table: inout CSVTable,
    _ words: inout CSVWords
  ) {
    // Another file may have its columns in another order.
    let (numberBase, wordBase) = (table.numbers.count, table.words.count)
    table.numbers += repeatElement(0, count: columns.numberCount)
    table.words += repeatElement(0, count: columns.categoryCount)
    let valueBase = table.values.count
    let targetCount = columns.roles.reduce(0) { if case .target = $1 { $0 + 1 } else { $0 } }
    if target != .classes { table.values += repeatElement(0, count: targetCount) }
    for (index, cell) in cells.enumerated() {
      switch columns.roles[index] {
      case .ignored: continue
      case .number(let place):
        table.numbers[numberBase + place] = number(cell, index, ifOneOf: nil)
      case .category(let place):
        table.words[wordBase + place] = words.categories[place].number(of: word(cell, index))
      case .target(let place) where target != .classes:
        table.values[valueBase + place] = number(
          cell, index, ifOneOf: target == .multiHot ? [0, 1] : nil)
      case .target:
        table.labels.append(words.labels.number(of: word(cell, index)))
        table.labelPlaces.append((Int32(cell.line), Int32(cell.column)))
      }
    }
    table.rowCount += 1
  }

  private mutating func word(_ cell: CSVCell, _ column: Int) -> String {
    if cell.range.isEmpty { note(empty(cell, column, expected: "a word or a class number")) }
    return rows.text(of: cell)
  }

  private mutating func number(_ cell: CSVCell, _ column: Int, ifOneOf allowed: [Float]?) -> Float {
    let expected = allowed == nil ? "a finite number" : "0 or 1"
    guard !cell.range.isEmpty else {
      note(empty(cell, column, expected: expected))
      return 0
    }
    guard let value = decimalNumber(rows.bytes, cell.range) else {
      note(notANumber(cell, column, expected: expected))
      return 0
    }
    if !Float(value).isFinite || allowed?.contains(Float(value)) == false {
      note(outOfRange(cell, column, expected: expected, isFinite: Float(value).isFinite))
    }
    return Float(value)
  }

  private mutating func note(_ fault: Diagnostic) {
    faultCount += 1
    if faults.count < faultLimit { faults.append(fault) }
  }

  private func throwFaults() throws {
    guard faultCount > 0 else { return }
    var list = DiagnosticList(faults)
    if faultCount > faults.count {
      list.append(
        Diagnostic(
          place: path, problem: "there are \(faultCount - faults.count) more faults like these"))
    }
    throw list
  }
}

extension CSVTableReader {
  private func empty(_ cell: CSVCell, _ column: Int, expected: String) -> Diagnostic {
    Diagnostic(
      place: rows.place(of: cell), problem: "column \"\(header[column])\" is empty",
      expected: expected, remedy: advice.missing)
  }

  private func notANumber(_ cell: CSVCell, _ column: Int, expected: String) -> Diagnostic {
    Diagnostic(
      place: rows.place(of: cell),
      problem: "column \"\(header[column])\" is \"\(rows.text(of: cell))\", not a number",
      expected: expected,
      remedy: advice.word)
  }

  private func outOfRange(
    _ cell: CSVCell, _ column: Int, expected: String, isFinite: Bool
  ) -> Diagnostic {
    Diagnostic(
      place: rows.place(of: cell),
      problem: "column \"\(header[column])\" is \(rows.text(of: cell))", expected: expected,
      remedy: isFinite
        ? "repair the cell, or set data.target_kind to values" : advice.endless)
  }

  private func ragged(_ cells: [CSVCell]) -> Diagnostic {
    Diagnostic(
      place: cells.first.map { "\(path):\($0.line):1" } ?? path,
      problem: "the row has \(cells.count) cells", expected: "\(header.count), as the header",
      remedy: "add or remove separators, or quote the cell that contains one")
  }
}
