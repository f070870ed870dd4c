import Diagnostics

// Letters: R rows, C input columns, K target columns.

/// Reads time series: a window of rows is a sample, the rows after it its targets.
struct SeriesDecoder {
  private let spec: SeriesSpec
  private let data: DataSpec
  private let windows: SequenceWindows

  init(spec: SeriesSpec, data: DataSpec) {
    self.spec = spec
    self.data = data
    windows = SequenceWindows(
      rows: "rows", whole: "series", window: spec.window, ahead: spec.horizon,
      stride: spec.stride, aheadName: "data.horizon")
  }

  /// Appends the parts' columns to `writer`.
  ///
  /// - Throws: A `DiagnosticList` of files that cannot be read, cells that are no numbers, parts too short.
  func decode(key: String, into writer: PreparedFileWriter) throws -> PreparedHeader {
    try checkTarget()
    let separator = try checkedSeparator(spec.separator)
    let (columns, tables) = try read(separator)
    let cut = try SequenceCut(
      rows: tables[0]?.rowCount ?? 0, dev: data.dev, test: data.test, windows: windows)
    let ranges = [
      cut.train, cut.dev ?? tables[1].map { 0..<$0.rowCount },
      cut.test ?? tables[2].map { 0..<$0.rowCount },
    ]
    try windows.check(
      zip(["train", "dev", "test"], ranges).compactMap { name, range in
        range.map { (name, $0.count) }
      })
    let layouts = try zip(tables, ranges).map { table, range in
      try range.map { try write(table ?? tables[0], rows: $0, columns, writer) }
    }
    guard let table = tables[0], let train = layouts[0] else {
      preconditionFailure("no table of \(spec.train) and no fault")
    }
    var shape = DataShape(input: [spec.window, columns.inputs.count], target: target(columns))
    shape.inputNames = columns.inputs.map { columns.names[$0] }
    shape.isSequence = true
    var header = PreparedHeader(
      key: key, shape: shape, train: train, dev: layouts[1], test: layouts[2])
    header.moments = moments(of: table, rows: cut.train, columns)
    return header
  }

  private func checkTarget() throws {
    guard data.target != .values else { return }
    throw Diagnostic(
      place: "data.target_kind", problem: "what comes next in a series are numbers",
      expected: "values", remedy: "use loss: mean_squared, mean_absolute or huber")
  }

  /// The columns, and the tables of train, dev and test files.
  private func read(_ separator: UInt8) throws -> (SeriesColumns, [CSVTable?]) {
    var words = CSVWords(categories: [])
    var faults = DiagnosticList()
    var reader = try CSVTableReader(path: spec.train, separator: separator, advice: .series)
    let columns = try SeriesColumns(header: reader.header, spec: spec, place: reader.headerPlace)
    var tables = [
      try faults.collect { try reader.table(columns: columns.csv, target: .values, words: &words) }
    ]
    for path in [spec.dev, spec.test] {
      guard let path else {
        tables.append(nil)
        continue
      }
      tables.append(
        try faults.collect {
          var other = try CSVTableReader(path: path, separator: separator, advice: .series)
          let matched = try columns.csv.matching(
            other.header, trainHeader: reader.header, place: other.headerPlace)
          return try other.table(columns: matched, target: .values, words: &words)
        })
    }
    try faults.throwIfAny()
    return (columns, tables)
  }

  /// One number for each target column at each of the next rows, row by row.
  private func target(_ columns: SeriesColumns) -> TargetLayout {
    let names = columns.targets.map { columns.names[$0] }
    let all =
      spec.horizon == 1
      ? names : (1...spec.horizon).flatMap { row in names.map { "\($0)+\(row)" } }
    return .numbers(width: all.count, names: all, isMultiHot: false)
  }

  private func write(
    _ table: CSVTable?, rows: Range<Int>, _ columns: SeriesColumns, _ writer: PreparedFileWriter
  ) throws -> PartLayout {
    guard let table else { preconditionFailure("a part of \(rows) without a table") }
    func append(_ places: [Int]) throws -> Int {
      let offset = try writer.startArray()
      try writer.append(
        rows.flatMap { row in places.map { table.numbers[row * columns.names.count + $0] } })
      return offset
    }
    let inputOffset = try append(columns.inputs)
    let targetOffset = try append(columns.targets)
    let layout = WindowLayout(
      stride: spec.stride, starts: rows.count - windows.reach + 1,
      inputWidth: columns.inputs.count, targetWidth: columns.targets.count,
      targetElement: .float32)
    return PartLayout(
      count: layout.count, element: .float32, inputOffset: inputOffset,
      targetOffset: targetOffset + spec.window * columns.targets.count * 4, windows: layout)
  }

  /// Mean and deviation of the training rows, each row once; what is constant gets the deviation 1.
  private func moments(
    of table: CSVTable, rows: Range<Int>, _ columns: SeriesColumns
  ) -> NormalizationStatistics {
    let all = columns.names.indices.map { column -> (mean: Double, deviation: Double) in
      let values = rows.map { Double(table.numbers[$0 * columns.names.count + column]) }
      if values.allSatisfy({ $0 == values[0] }) { return (values[0], 1) }
      let mean = values.reduce(0, +) / Double(values.count)
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (mean, (squares / Double(values.count)).squareRoot())
    }
    return NormalizationStatistics(
      mean: columns.inputs.map { all[$0].mean },
      deviation: columns.inputs.map { all[$0].deviation },
      targetMean: columns.targets.map { all[$0].mean },
      targetDeviation: columns.targets.map { all[$0].deviation })
  }
}

/// Which columns of a file a series uses, and where they lie in the table that is read.
struct SeriesColumns: Equatable {
  /// How the file is read: every column that is used is a number.
  var csv: CSVColumns
  /// Of the columns that are used, in the order of the header.
  var names: [String]
  /// Places in `names`.
  var inputs: [Int]
  var targets: [Int]

  /// - Throws: A `DiagnosticList` of all names that do not fit.
  init(header: [String], spec: SeriesSpec, place: String) throws {
    try checkHeader(
      header, names: (spec.inputs ?? []) + spec.targets + spec.ignored, separator: spec.separator,
      place: place)
    var faults = DiagnosticList()
    for name in Set(spec.inputs ?? []).intersection(spec.ignored).sorted() {
      faults.append(
        Diagnostic(
          place: place, problem: "column \"\(name)\" is both an input and ignored",
          expected: "one use of each column", remedy: "remove it from data.ignore"))
    }
    try faults.throwIfAny()
    let inputs = spec.inputs ?? header.filter { !spec.ignored.contains($0) }
    guard !inputs.isEmpty else {
      throw Diagnostic(
        place: place, problem: "no column is left to learn from",
        expected: "at least one column that is not ignored", remedy: "shorten data.ignore")
    }
    let names = header.filter { inputs.contains($0) || spec.targets.contains($0) }
    self.names = names
    self.inputs = inputs.compactMap { names.firstIndex(of: $0) }
    targets = spec.targets.compactMap { names.firstIndex(of: $0) }
    csv = CSVColumns(numbers: names, header: header)
  }
}
