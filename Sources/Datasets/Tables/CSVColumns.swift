import Diagnostics

/// What each column of a CSV file is for.
struct CSVColumns: Equatable {
  enum Role: Equatable {
    /// The number's place among the numeric inputs.
    case number(Int)
    /// The place among the categorical inputs.
    case category(Int)
    case target(Int)
    case ignored
  }

  /// One per column of the file.
  var roles: [Role]
  /// Inputs in the order of the training file's header.
  var inputs: [Input]
  var numberCount: Int
  var categoryCount: Int

  struct Input: Equatable {
    var name: String
    /// `.number` or `.category`.
    var role: Role
  }

  /// Reads the training file's header.
  ///
  /// - Throws: a `DiagnosticList` of all names that do not fit.
  init(header: [String], spec: CSVSpec, place: String) throws {
    try checkNames(header, spec: spec, place: place)
    self.init(roles: [], inputs: [], numberCount: 0, categoryCount: 0)
    for name in header {
      let role = role(of: name, spec: spec)
      roles.append(role)
      switch role {
      case .number: numberCount += 1
      case .category: categoryCount += 1
      case .target, .ignored: continue
      }
      inputs.append(Input(name: name, role: role))
    }
    guard inputs.isEmpty else { return }
    throw Diagnostic(
      place: place, problem: "no column is left to learn from",
      expected: "at least one column that is neither a target nor ignored",
      remedy: "shorten data.ignore or data.target")
  }

  /// The columns `names` as numbers, in the order of the header; all others are ignored.
  init(numbers names: [String], header: [String]) {
    self.init(roles: [], inputs: [], numberCount: 0, categoryCount: 0)
    for name in header {
      guard names.contains(name) else {
        roles.append(.ignored)
        continue
      }
      roles.append(.number(numberCount))
      inputs.append(Input(name: name, role: .number(numberCount)))
      numberCount += 1
    }
  }

  private init(roles: [Role], inputs: [Input], numberCount: Int, categoryCount: Int) {
    self.roles = roles
    self.inputs = inputs
    self.numberCount = numberCount
    self.categoryCount = categoryCount
  }

  private func role(of name: String, spec: CSVSpec) -> Role {
    if let target = spec.targets.firstIndex(of: name) { return .target(target) }
    if spec.ignored.contains(name) { return .ignored }
    return spec.categorical.contains(name) ? .category(categoryCount) : .number(numberCount)
  }

  /// The same columns in another file, found by their names.
  ///
  /// - Parameter trainHeader: The header of the file that `self` was made for.
  /// - Throws: a `DiagnosticList` of the columns that are missing.
  func matching(_ header: [String], trainHeader: [String], place: String) throws -> CSVColumns {
    var faults = DiagnosticList()
    for (name, role) in zip(trainHeader, roles) where role != .ignored && !header.contains(name) {
      faults.append(unknownColumn(name, header: header, place: place))
    }
    checkRepeats(header, place: place, &faults)
    try faults.throwIfAny()
    var other = self
    other.roles = header.map { name in
      trainHeader.firstIndex(of: name).map { roles[$0] } ?? .ignored
    }
    return other
  }
}

/// Checks that a header has the columns `names`, each once.
///
/// - Throws: A `DiagnosticList` of all names that are missing or stand twice.
func checkHeader(
  _ header: [String], names: [String], separator: Character, place: String
) throws {
  var faults = DiagnosticList()
  checkRepeats(header, place: place, &faults)
  if header.count == 1, let likely = likelySeparator(in: header[0], besides: separator) {
    faults.append(
      Diagnostic(
        place: place, problem: "the header is one cell: \(header[0])",
        expected: "columns separated by \"\(separator)\"",
        remedy: "set data.separator to \"\(likely)\""))
    throw faults
  }
  for (index, name) in names.enumerated()
  where !header.contains(name) && !names[..<index].contains(name) {
    faults.append(unknownColumn(name, header: header, place: place))
  }
  try faults.throwIfAny()
}

private func checkNames(_ header: [String], spec: CSVSpec, place: String) throws {
  var faults = DiagnosticList()
  try faults.collect {
    try checkHeader(
      header, names: spec.targets + spec.categorical + spec.ignored, separator: spec.separator,
      place: place)
  }
  for name in spec.targets where (spec.categorical + spec.ignored).contains(name) {
    faults.append(
      Diagnostic(
        place: place, problem: "column \"\(name)\" is both a target and categorical or ignored",
        expected: "one use of each column",
        remedy: "remove it from data.categorical and data.ignore"))
  }
  for name in spec.categorical where spec.ignored.contains(name) {
    faults.append(
      Diagnostic(
        place: place, problem: "column \"\(name)\" is both categorical and ignored",
        expected: "one use of each column", remedy: "remove it from one of the lists"))
  }
  try faults.throwIfAny()
}

private func checkRepeats(_ header: [String], place: String, _ faults: inout DiagnosticList) {
  for (index, name) in header.enumerated() where header[..<index].contains(name) {
    faults.append(
      Diagnostic(
        place: place, problem: "two columns are called \"\(name)\"",
        expected: "a name of its own for each column", remedy: "rename one of them"))
  }
}

private func unknownColumn(_ name: String, header: [String], place: String) -> Diagnostic {
  let nearest = nearestName(to: name, among: header)
  return Diagnostic(
    place: place, problem: "there is no column \"\(name)\"",
    expected: "one of " + header.map { "\"\($0)\"" }.joined(separator: ", "),
    remedy: nearest.map { "did you mean \"\($0)\"?" } ?? "name a column of the header")
}

private func likelySeparator(in text: String, besides separator: Character) -> String? {
  let candidates: [(Character, String)] = [(",", ","), (";", ";"), ("\t", "\\t"), ("|", "|")]
  return candidates.first { $0.0 != separator && text.contains($0.0) }?.1
}
