import Diagnostics

/// Reads the CSV files of a spec and gives their words numbers.
struct CSVDecoder {
  private let spec: CSVSpec
  private let data: DataSpec
  private let seed: UInt64
  private let outputs: Int?

  init(spec: CSVSpec, data: DataSpec, seed: UInt64, outputs: Int?) {
    self.spec = spec
    self.data = data
    self.seed = seed
    self.outputs = outputs
  }

  /// Appends the encoded parts to `writer`.
  func decode(key: String, into writer: PreparedFileWriter) throws -> PreparedHeader {
    let separator = try checkedSeparator(spec.separator)
    try checkTargetCount()
    var reader = try CSVTableReader(path: spec.train, separator: separator)
    let columns = try CSVColumns(
      header: reader.header, spec: spec, place: reader.headerPlace)
    var words = CSVWords(
      categories: [WordTable](repeating: WordTable(), count: columns.categoryCount))
    var faults = DiagnosticList()
    let train = try faults.collect {
      try reader.table(columns: columns, target: data.target, words: &words)
    }
    let trainedLabels = words.labels.words.count
    let others = try [spec.dev, spec.test].map { path -> CSVTable? in
      guard let path else { return nil }
      return try faults.collect {
        var other = try CSVTableReader(path: path, separator: separator)
        let matched = try columns.matching(
          other.header, trainHeader: reader.header, place: other.headerPlace)
        return try other.table(columns: matched, target: data.target, words: &words)
      }
    }
    try faults.throwIfAny()
    guard let train else { preconditionFailure("no table of \(spec.train) and no fault") }
    let tables = CSVTables(train: train, dev: others[0], test: others[1])
    return try encode(
      tables, columns: columns, words: words, trainedLabels: trainedLabels, key: key, writer)
  }

  private func encode(
    _ tables: CSVTables, columns: CSVColumns, words: CSVWords, trainedLabels: Int, key: String,
    _ writer: PreparedFileWriter
  ) throws -> PreparedHeader {
    let targets = try CSVTargets(
      tables, words: words.labels.words, trained: trainedLabels, spec: data, names: spec.targets,
      outputs: outputs)
    let label: ((UInt32) -> Int32)? = targets.train.isEmpty ? nil : { targets.train[Int($0)] }
    let split = try Split(
      count: tables.train.rowCount, dev: data.dev, test: data.test, seed: seed, label: label)
    let encoding = OneHotEncoding(
      columns: columns, table: tables.train, rows: split.train, words: words)
    let parts = try tables.map { table, role in
      PartLayout(
        count: table.rowCount, element: .float32,
        inputOffset: try encoding.write(table, to: writer),
        targetOffset: try targets.write(table, role, to: writer))
    }
    var shape = DataShape(input: [encoding.width], target: targets.layout)
    shape.inputNames = encoding.names
    shape.oneHotColumns = encoding.oneHotColumns
    return PreparedHeader(
      key: key, shape: shape, train: parts.train, dev: parts.dev, test: parts.test,
      warnings: encoding.warnings(tables))
  }

  private func checkTargetCount() throws {
    guard spec.targets.isEmpty || data.target == .classes && spec.targets.count > 1 else {
      return
    }
    throw Diagnostic(
      place: "data.target",
      problem: spec.targets.isEmpty
        ? "no column is named as target" : "\(spec.targets.count) columns for one class",
      expected: spec.targets.isEmpty
        ? "at least one column" : "one column of classes, or data.target_kind multi_hot or values",
      remedy: spec.targets.isEmpty
        ? "name the column to predict" : "set data.target_kind to multi_hot or values")
  }
}

/// The byte that stands between two cells.
func checkedSeparator(_ separator: Character) throws -> UInt8 {
  if let byte = separator.asciiValue, byte != 0x22, byte != 0x0A, byte != 0x0D { return byte }
  throw Diagnostic(
    place: "data.separator", problem: "\"\(separator)\" cannot separate cells",
    expected: "one ASCII character that is no quote",
    remedy: "use \",\", \";\", \"|\" or \"\\t\"")
}

/// The tables of a data set, by role.
struct CSVTables {
  var train: CSVTable
  var dev: CSVTable?
  var test: CSVTable?

  enum Role: Int { case train, dev, test }

  func map<Result>(
    _ body: (CSVTable, Role) throws -> Result
  ) throws -> (train: Result, dev: Result?, test: Result?) {
    (
      try body(train, .train), try dev.map { try body($0, .dev) },
      try test.map { try body($0, .test) }
    )
  }
}

/// The targets of all tables, checked.
struct CSVTargets {
  private(set) var layout: TargetLayout
  /// Class numbers of the training rows; empty where targets are no classes.
  var train: [Int32] { classes[0] }
  private var classes: [[Int32]] = [[], [], []]

  init(
    _ tables: CSVTables, words: [String], trained: Int, spec: DataSpec, names: [String],
    outputs: Int?
  ) throws {
    guard spec.target == .classes else {
      layout = .numbers(width: names.count, names: names, isMultiHot: spec.target == .multiHot)
      return
    }
    let labels = ClassLabels(
      words: words, trained: trained, names: spec.classNames, outputs: outputs)
    layout = .classes(count: labels.count, names: labels.names)
    var faults = DiagnosticList()
    for (table, index) in [(tables.train, 0), (tables.dev, 1), (tables.test, 2)] {
      guard let table else { continue }
      let numbers = try faults.collect {
        try labels.numbers(of: table, words: words, outputs: outputs)
      }
      classes[index] = numbers ?? []
    }
    try faults.throwIfAny()
  }

  /// - Returns: the offset in the file.
  func write(
    _ table: CSVTable, _ role: CSVTables.Role, to writer: PreparedFileWriter
  ) throws -> Int {
    let offset = try writer.startArray()
    switch layout {
    case .classes: try writer.append(classes[role.rawValue])
    case .numbers: try writer.append(table.values)
    case .classSequence: preconditionFailure("a table has one answer per row")
    }
    return offset
  }
}
