import Diagnostics

/// Windows over a long sequence of rows (tokens of a text, lines of a time series).
struct SequenceWindows {
  /// What a row is called, and the whole: "tokens" of "text".
  var rows: String
  var whole: String
  /// Rows of a window, and those after it that its targets need.
  var window: Int
  var ahead: Int
  var stride: Int
  /// Says what `ahead` is, after "data.window and ".
  var aheadName: String

  /// Rows that a sample needs.
  var reach: Int { window + ahead }

  /// Windows that start a stride apart in so many rows; 0 or less where not even one fits.
  func count(in rows: Int) -> Int { rows < reach ? 0 : (rows - reach) / stride + 1 }

  /// - Throws: A `DiagnosticList` of the parts that no window fits.
  func check(_ parts: [(name: String, rows: Int)]) throws {
    var faults = DiagnosticList()
    for part in parts where part.rows < reach {
      faults.append(
        Diagnostic(
          place: "data", problem: "the \(part.name) part has \(part.rows) \(rows)",
          expected: "at least \(reach): data.window and \(aheadName)",
          remedy: "use a longer \(whole) or a smaller window"))
    }
    try faults.throwIfAny()
  }
}

/// Where a sequence is cut: the training part comes first, then dev, then test. Parts share no row, so what is
/// judged by is later than what is learned from, and no window crosses a border.
struct SequenceCut: Equatable {
  var train: Range<Int>
  /// nil: not cut from this sequence.
  var dev: Range<Int>?
  var test: Range<Int>?

  /// - Throws: A `DiagnosticList` of what cannot be cut.
  init(rows count: Int, dev: PartSpec, test: PartSpec, windows: SequenceWindows) throws {
    func size(_ part: PartSpec) -> Int {
      switch part {
      case .none, .files: 0
      case .fraction(let fraction, _): Int((fraction * Double(count)).rounded())
      case .count(let samples, _): (samples - 1) * windows.stride + windows.reach
      }
    }
    var faults = DiagnosticList()
    for (part, place) in [(dev, "data.dev"), (test, "data.test")] where part.isStratified {
      faults.append(
        Diagnostic(
          place: place, problem: "a \(windows.whole) cannot be cut by classes",
          expected: "fraction or count", remedy: "remove stratified"))
    }
    let (devSize, testSize) = (size(dev), size(test))
    if devSize + testSize >= count {
      faults.append(
        Diagnostic(
          place: "data",
          problem:
            "dev and test parts of \(devSize + testSize) \(windows.rows) leave none of \(count)",
          expected: "fewer \(windows.rows)", remedy: "make data.dev or data.test smaller"))
    }
    try faults.throwIfAny()
    let (devStart, testStart) = (count - devSize - testSize, count - testSize)
    train = 0..<devStart
    self.dev = dev.isCut ? devStart..<testStart : nil
    self.test = test.isCut ? testStart..<count : nil
  }
}
