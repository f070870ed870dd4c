import Datasets
import Testing

@Suite("CSV tables")
struct CSVTests {
  private let flowers = """
    size, colour ,note,kind
    1.5,red,"a, b",tulip
    2,blue,"say ""hi""
    twice",rose

    -3e-1,red,,tulip

    """

  private func flowerSpec(_ path: String) -> CSVSpec {
    var csv = CSVSpec(train: path, targets: ["kind"])
    csv.categorical = ["colour"]
    csv.ignored = ["note"]
    return csv
  }

  @Test("numbers, words, quotes and ignored columns are read", arguments: ["\n", "\r\n"])
  func mixed(newline: String) throws {
    let folder = try TestFolder()
    let text = flowers.replacing("\n", with: newline)
    let path = try folder.write("t.csv", text)
    let data = try folder.load(DataSpec(source: .csv(flowerSpec(path))), outputs: 2)
    #expect(data.rawInputs == [[1.5, 0, 1], [2, 1, 0], [-0.3, 0, 1]])
    #expect(data.shape.inputNames == ["size", "colour=blue", "colour=red"])
    #expect(data.shape.oneHotColumns == [1, 2])
    #expect(data.labels == [1, 0, 1])
    #expect(data.shape.target == .classes(count: 2, names: ["rose", "tulip"]))
  }

  @Test("class names give words their numbers")
  func classNames() throws {
    let folder = try TestFolder()
    let path = try folder.write("t.csv", flowers)
    var spec = DataSpec(source: .csv(flowerSpec(path)))
    spec.classNames = ["tulip", "lily", "rose"]
    let data = try folder.load(spec, outputs: 3)
    #expect(data.labels == [0, 2, 0])
  }

  @Test("whole numbers are their own classes, gzipped and with semicolons")
  func numberedClasses() throws {
    let folder = try TestFolder()
    let text = "\u{FEFF}x;y\n1;2\n2;0.0\n3;1\n"
    var csv = CSVSpec(
      train: try folder.write("t.csv.gz", gzip(Array(text.utf8))), targets: ["y"])
    csv.separator = ";"
    let data = try folder.load(DataSpec(source: .csv(csv)), outputs: 3)
    #expect(data.labels == [2, 0, 1])
    #expect(data.shape.target == .classes(count: 3, names: nil))
  }

  @Test("several target columns become numbers in the order of the spec")
  func targets() throws {
    let folder = try TestFolder()
    let csv = CSVSpec(
      train: try folder.write("t.csv", "a,b,x\n1,0,5\n0,1,6\n"), targets: ["b", "a"])
    var spec = DataSpec(source: .csv(csv))
    spec.target = .multiHot
    let data = try folder.load(spec, outputs: 2)
    #expect(data.shape.target == .numbers(width: 2, names: ["b", "a"], isMultiHot: true))
    #expect(data.train.values(at: 0) == [0, 1])
    #expect(data.rawInputs == [[5], [6]])
  }

  @Test("a test file may order its columns otherwise; unknown words become zeros with a warning")
  func testFile() throws {
    let folder = try TestFolder()
    var csv = flowerSpec(try folder.write("t.csv", flowers))
    csv.test = try folder.write("u.csv", "kind,colour,size,other\nrose,green,7,x\n")
    let data = try folder.load(DataSpec(source: .csv(csv)), outputs: 2)
    #expect(data.test?.dataset.inputs(of: 0) == [7, 0, 0])
    #expect(data.test?.label(at: 0) == 0)
    #expect(
      data.warnings == [
        "column \"colour\": 1 cells of the dev and test parts hold words that no training row has;"
          + " they become zeros"
      ])
  }

  @Test("the vocabulary is that of the rows to train on")
  func vocabulary() throws {
    let folder = try TestFolder()
    let rows = (0..<10).map { "w\($0),\($0 % 2)\n" }.joined()
    var csv = CSVSpec(train: try folder.write("t.csv", "word,y\n" + rows), targets: ["y"])
    csv.categorical = ["word"]
    var spec = DataSpec(source: .csv(csv))
    spec.test = .count(3, stratified: false)
    let data = try folder.load(spec)
    #expect(data.shape.input == [7])
    #expect(
      (0..<3).allSatisfy { place in
        data.test.map { $0.dataset.inputs(of: $0.sample(at: place)) } == [0, 0, 0, 0, 0, 0, 0]
      })
  }

  @Test(
    "decimal numbers are read exactly",
    arguments: [
      "0", "-0.0", "1.5", "+7", "123456789012345", "1234567890123456789", "0.1", "3.14159", ".5",
      "5.", "1e10", "-2.5E-3", "0.000000000000001", "9007199254740993", "1.7976931348623157e308",
    ])
  func decimals(text: String) {
    let bytes = Array(text.utf8)
    let expected: Double? = ["+7": 7, ".5": 0.5, "5.": 5][text] ?? Double(text)
    #expect(decimalNumber(bytes, 0..<bytes.count) == expected)
  }

  @Test("other texts are no numbers", arguments: ["", "-", ".", "1,5", "0x10", "1 2", "abc", "1e"])
  func noDecimals(text: String) {
    let bytes = Array(text.utf8)
    #expect(decimalNumber(bytes, 0..<bytes.count) == nil)
  }
}
