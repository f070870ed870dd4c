import Datasets
import Storage
import Testing

@Suite("Time series")
struct SeriesTests {
  /// Rows 0 to 9: a counts, b is 10 a, c is 100 a; d is a word.
  private static let rows =
    "d,a,b,c\n" + (0..<10).map { "x,\($0),\(10 * $0),\(100 * $0)\n" }.joined()

  private func spec(
    _ path: String, targets: [String] = ["a"], window: Int = 3,
    _ change: (inout SeriesSpec) -> Void = { _ in }
  ) -> DataSpec {
    var series = SeriesSpec(train: path, targets: targets, window: window)
    series.ignored = ["d"]
    change(&series)
    var spec = DataSpec(source: .series(series))
    spec.target = .values
    return spec
  }

  /// Inputs and targets of every sample of a part, as a step gets them.
  private func samples(
    _ part: DataPart, _ data: LoadedData
  ) -> [(inputs: [Double], targets: [Double])] {
    let loader = BatchLoader<Double>(part: part, statistics: data.statistics)
    let (width, outputs) = (loader.elementCount, part.dataset.shape.target.width)
    let inputs = AlignedMemory<Double>(count: part.count * width)
    let targets = AlignedMemory<Double>(count: part.count * outputs)
    loader.loadInputs(0..<part.count, order: nil, into: inputs.block)
    loader.loadValues(0..<part.count, order: nil, into: targets.block)
    return (0..<part.count).map { sample in
      (
        inputs.block[sample * width..<(sample + 1) * width].array,
        targets.block[sample * outputs..<(sample + 1) * outputs].array
      )
    }
  }

  @Test("a window of rows is a sample, the rows after it its targets")
  func windows() throws {
    let folder = try TestFolder()
    let path = try folder.write("t.csv", Self.rows)
    let data = try folder.load(
      spec(path, targets: ["c", "a"], window: 2) {
        $0.inputs = ["b", "a"]
        $0.horizon = 3
        $0.stride = 2
      })
    let found = samples(data.train, data)
    #expect(found.count == 3)
    #expect(found.map(\.inputs) == [[0, 0, 10, 1], [20, 2, 30, 3], [40, 4, 50, 5]])
    #expect(found[1].targets == [400, 4, 500, 5, 600, 6])
    #expect(data.shape.input == [2, 2] && data.shape.inputNames == ["b", "a"])
    #expect(
      data.shape.target
        == .numbers(
          width: 6, names: ["c+1", "a+1", "c+2", "a+2", "c+3", "a+3"], isMultiHot: false))
    #expect(data.shape.channelCount == 2)
    #expect(data.train.dataset.values(of: 1) == [400, 4, 500, 5, 600, 6])
  }

  @Test(
    "parts follow each other in time and share no row; the training part alone gives mean and deviation"
  )
  func parts() throws {
    let folder = try TestFolder()
    var spec = spec(try folder.write("t.csv", Self.rows), window: 1) { $0.inputs = ["a", "b"] }
    spec.dev = .fraction(0.2, stratified: false)
    spec.test = .count(2, stratified: false)
    let raw = try folder.load(spec)
    func used(_ part: DataPart?) throws -> Set<Double> {
      let part = try #require(part)
      return Set(samples(part, raw).flatMap { [$0.inputs[0]] + $0.targets })
    }
    #expect(try used(raw.train) == [0, 1, 2, 3, 4])
    #expect(try used(raw.dev) == [5, 6])
    #expect(try used(raw.test) == [7, 8, 9])
    spec.normalization = .standardize
    let data = try folder.load(spec)
    // 0 to 4: mean 2, variance 2; no row counts twice, as in the middle of overlapping windows.
    let deviation = 2.0.squareRoot()
    #expect(data.statistics.mean == [2, 20] && data.statistics.targetMean == [2])
    #expect(abs(data.statistics.deviation[1] - 10 * deviation) < 1e-12)
    let test = try #require(data.test)
    let first = samples(test, data)[0]
    #expect(abs(first.inputs[0] - 5 / deviation) < 1e-12)
    #expect(abs(first.inputs[1] - 5 / deviation) < 1e-12)
    #expect(abs(first.targets[0] - 6 / deviation) < 1e-12)
    #expect(data.statistics.targetsInDataUnits([0, 2]) == [2, Float(2 + 2 * deviation)])
    spec.normalization = .divide(by: 10)
    let divided = try folder.load(spec)
    #expect(samples(divided.train, divided)[2].inputs == [0.2, 2])
    #expect(samples(divided.train, divided)[3].targets == [0.4])
  }

  @Test(
    "files of their own may order their columns otherwise; what was learned of the units is kept")
  func files() throws {
    let folder = try TestFolder()
    let other = "c,b,d,a\n" + (0..<5).map { "\($0),\(50 + $0),y,\(5 + $0)\n" }.joined()
    let path = try folder.write("t.csv", Self.rows)
    var spec = spec(path, targets: ["b"]) { $0.test = folder.path + "/u.csv" }
    _ = try folder.write("u.csv", other)
    spec.test = .files
    spec.normalization = .standardize
    let data = try folder.load(spec)
    let test = try #require(data.test)
    #expect(test.count == 2 && test.dataset.inputs(of: 0) == [5, 50, 0, 6, 51, 1, 7, 52, 2])
    #expect(test.values(at: 1) == [54])
    var given = data.statistics
    given.targetMean = [50]
    given.targetDeviation = [2]
    let kept = try LoadedData.open(
      spec, seed: 1, outputs: 1, statistics: given, cache: folder.cache)
    let keptTest = try #require(kept.test)
    #expect(samples(keptTest, kept)[1].targets == [2])
  }

  @Test("faults name file and line, columns and rows")
  func faults() throws {
    let folder = try TestFolder()
    let gaps = try folder.write("gaps.csv", "d,a,b\nx,1,\nx,nan,2\nx,3,east\nx,4,5\nx,5\n")
    #expect(
      try folder.message { _ = try folder.load(spec(gaps, window: 1)) } == """
        gaps.csv:2:5: column "b" is empty
          expected: a finite number
          to fix:   fill the cell, for example from the rows around it
        gaps.csv:3:3: column "a" is nan
          expected: a finite number
          to fix:   repair the cell, for example from the rows around it
        gaps.csv:4:5: column "b" is "east", not a number
          expected: a finite number
          to fix:   repair the cell, or list the column in data.ignore
        gaps.csv:6:1: the row has 2 cells
          expected: 3, as the header
          to fix:   add or remove separators, or quote the cell that contains one
        """)
    let path = try folder.write("t.csv", Self.rows)
    let unknown = spec(path, targets: ["aa"]) { $0.inputs = ["b", "pressure"] }
    #expect(
      try folder.message { _ = try folder.load(unknown) } == """
        t.csv:1:1: there is no column "pressure"
          expected: one of "d", "a", "b", "c"
          to fix:   name a column of the header
        t.csv:1:1: there is no column "aa"
          expected: one of "d", "a", "b", "c"
          to fix:   did you mean "a"?
        """)
    #expect(
      try folder.message {
        _ = try folder.load(spec(path) { $0.inputs = ["d", "b"] })
      } == """
        t.csv:1:1: column "d" is both an input and ignored
          expected: one use of each column
          to fix:   remove it from data.ignore
        """)
    var short = spec(path, window: 6) { $0.horizon = 2 }
    short.dev = .fraction(0.3, stratified: false)
    #expect(
      try folder.message { _ = try folder.load(short) } == """
        data: the train part has 7 rows
          expected: at least 8: data.window and data.horizon
          to fix:   use a longer series or a smaller window
        data: the dev part has 3 rows
          expected: at least 8: data.window and data.horizon
          to fix:   use a longer series or a smaller window
        """)
    var cut = spec(path)
    cut.test = .count(8, stratified: true)
    #expect(
      try folder.message { _ = try folder.load(cut) } == """
        data.test: a series cannot be cut by classes
          expected: fraction or count
          to fix:   remove stratified
        data: dev and test parts of 11 rows leave none of 10
          expected: fewer rows
          to fix:   make data.dev or data.test smaller
        """)
    var classes = spec(path)
    classes.target = .classes
    #expect(
      try folder.message { _ = try folder.load(classes) } == """
        data.target_kind: what comes next in a series are numbers
          expected: values
          to fix:   use loss: mean_squared, mean_absolute or huber
        """)
  }
}
