/// How a table's columns become input numbers: numbers as they are, words one-hot.
struct OneHotEncoding {
  /// One per input number: the column's name, or `colour=red`.
  private(set) var names: [String] = []
  /// Input numbers that belong to words.
  private(set) var oneHotColumns: Set<Int> = []
  private let columns: CSVColumns
  /// For each categorical column and word: the word's place in the sorted vocabulary, -1 for a word
  /// that no training row has.
  private var slots: [[Int]] = []
  private var widths: [Int] = []

  var width: Int { names.count }

  /// - Parameter rows: The rows to train on, whose words make the vocabulary; nil: all.
  init(columns: CSVColumns, table: CSVTable, rows: [UInt32]?, words: CSVWords) {
    self.columns = columns
    for (category, wordTable) in words.categories.enumerated() {
      var isTrained = [Bool](repeating: false, count: wordTable.words.count)
      for row in rows ?? (0..<UInt32(table.rowCount)).map({ $0 }) {
        isTrained[Int(table.words[Int(row) * columns.categoryCount + category])] = true
      }
      let vocabulary = wordTable.words.indices.filter { isTrained[$0] }
        .sorted { wordTable.words[$0] < wordTable.words[$1] }
      var places = [Int](repeating: -1, count: isTrained.count)
      for (place, word) in vocabulary.enumerated() { places[word] = place }
      slots.append(places)
      widths.append(vocabulary.count)
    }
    name(words)
  }

  private mutating func name(_ words: CSVWords) {
    for input in columns.inputs {
      guard case .category(let category) = input.role else {
        names.append(input.name)
        continue
      }
      let known = slots[category].indices.filter { slots[category][$0] >= 0 }
        .sorted { slots[category][$0] < slots[category][$1] }
      for word in known {
        oneHotColumns.insert(names.count)
        names.append("\(input.name)=\(words.categories[category].words[word])")
      }
    }
  }

  /// Writes `[R, width]` numbers.
  ///
  /// - Returns: the offset in the file.
  func write(_ table: CSVTable, to writer: PreparedFileWriter) throws -> Int {
    let offset = try writer.startArray()
    var chunk: [Float] = []
    for row in 0..<table.rowCount {
      append(row, of: table, to: &chunk)
      if chunk.count >= 1 << 18 {
        try writer.append(chunk)
        chunk.removeAll(keepingCapacity: true)
      }
    }
    try writer.append(chunk)
    return offset
  }

  private func append(_ row: Int, of table: CSVTable, to chunk: inout [Float]) {
    for input in columns.inputs {
      switch input.role {
      case .number(let place): chunk.append(table.numbers[row * columns.numberCount + place])
      case .category(let category):
        let slot = slots[category][Int(table.words[row * columns.categoryCount + category])]
        let start = chunk.count
        chunk += repeatElement(0, count: widths[category])
        if slot >= 0 { chunk[start + slot] = 1 }
      case .target, .ignored: continue
      }
    }
  }

  /// Says which columns have words that training never sees.
  func warnings(_ tables: CSVTables) -> [String] {
    columns.inputs.compactMap { input in
      guard case .category(let category) = input.role else { return nil }
      let unknown = [tables.train, tables.dev, tables.test].compactMap { $0 }.reduce(0) {
        $0 + unknownWords($1, category: category)
      }
      guard unknown > 0 else { return nil }
      return
        "column \"\(input.name)\": \(unknown) cells of the dev and test parts hold words that no"
        + " training row has; they become zeros"
    }
  }

  private func unknownWords(_ table: CSVTable, category: Int) -> Int {
    (0..<table.rowCount).count { row in
      slots[category][Int(table.words[row * columns.categoryCount + category])] < 0
    }
  }
}
