import Datasets
import Testing

@Suite("Faults in CSV tables")
struct CSVFaultTests {
  private func message(
    _ text: String, targets: [String] = ["y"], categorical: [String] = [], ignored: [String] = [],
    test: String? = nil, target: TargetKind = .classes, names: [String]? = nil, outputs: Int? = nil
  ) throws -> String {
    let folder = try TestFolder()
    var csv = CSVSpec(train: try folder.write("t.csv", text), targets: targets)
    csv.categorical = categorical
    csv.ignored = ignored
    csv.test = try test.map { try folder.write("u.csv", $0) }
    var spec = DataSpec(source: .csv(csv))
    spec.target = target
    spec.classNames = names
    return try folder.message { _ = try folder.load(spec, outputs: outputs) }
  }

  @Test("cells that are no finite numbers are all named by line, column and name")
  func cells() throws {
    let message = try message(
      "age,height,y\n1,,0\nnan,2,1\n3,inf,0\ntall,4,1\n1,1e99,0\n5,6\n\n\n7,8,9,10\n1,2,\n")
    #expect(
      message == """
        t.csv:2:3: column "height" is empty
          expected: a finite number
          to fix:   fill the cell or remove the row
        t.csv:3:1: column "age" is nan
          expected: a finite number
          to fix:   repair the cell or remove the row
        t.csv:4:3: column "height" is inf
          expected: a finite number
          to fix:   repair the cell or remove the row
        t.csv:5:1: column "age" is "tall", not a number
          expected: a finite number
          to fix:   repair the cell, or list the column in data.categorical or data.ignore
        t.csv:6:3: column "height" is 1e99
          expected: a finite number
          to fix:   repair the cell or remove the row
        t.csv:7:1: the row has 2 cells
          expected: 3, as the header
          to fix:   add or remove separators, or quote the cell that contains one
        t.csv:10:1: the row has 4 cells
          expected: 3, as the header
          to fix:   add or remove separators, or quote the cell that contains one
        t.csv:11:5: column "y" is empty
          expected: a word or a class number
          to fix:   fill the cell or remove the row
        """)
  }

  @Test("after ten faults only their number is told")
  func many() throws {
    let message = try message("x,y\n" + String(repeating: "?,0\n", count: 25))
    #expect(message.components(separatedBy: "not a number").count == 11)
    #expect(message.hasSuffix("\nt.csv: there are 15 more faults like these"))
  }

  @Test("unknown columns are told with the nearest name")
  func unknown() throws {
    let message = try message(
      "age,colour,label\n1,red,0\n", targets: ["lable"], categorical: ["color"], ignored: ["qqqq"])
    let expected = "one of \"age\", \"colour\", \"label\""
    #expect(
      message == """
        t.csv:1:1: there is no column "lable"
          expected: \(expected)
          to fix:   did you mean "label"?
        t.csv:1:1: there is no column "color"
          expected: \(expected)
          to fix:   did you mean "colour"?
        t.csv:1:1: there is no column "qqqq"
          expected: \(expected)
          to fix:   name a column of the header
        """)
  }

  @Test("columns used twice, called the same, or all taken away are told")
  func roles() throws {
    #expect(
      try message("a,a,y\n1,2,0\n", categorical: ["y"], ignored: ["a"]) == """
        t.csv:1:1: two columns are called "a"
          expected: a name of its own for each column
          to fix:   rename one of them
        t.csv:1:1: column "y" is both a target and categorical or ignored
          expected: one use of each column
          to fix:   remove it from data.categorical and data.ignore
        """)
    #expect(
      try message("a,y\n1,0\n", ignored: ["a"]) == """
        t.csv:1:1: no column is left to learn from
          expected: at least one column that is neither a target nor ignored
          to fix:   shorten data.ignore or data.target
        """)
  }

  @Test("another separator is guessed")
  func separator() throws {
    #expect(
      try message("a;y\n1;0\n") == """
        t.csv:1:1: the header is one cell: a;y
          expected: columns separated by ","
          to fix:   set data.separator to ";"
        """)
  }

  @Test("quotes that do not match are told")
  func quotes() throws {
    #expect(
      try message("x,y\n\"1\"2,0\n3,\"0\n4,1\n") == """
        t.csv:2:4: a quoted cell goes on after its closing quote
          expected: the separator or the end of the line
          to fix:   write "" for a quote inside the text
        t.csv:3:3: a quoted cell does not end
          expected: a closing quote
          to fix:   close it, or write "" for a quote inside the text
        """)
  }

  @Test("empty files are told")
  func empty() throws {
    #expect(
      try message("") == """
        t.csv:1:1: the file is empty
          expected: a header with the names of the columns, then one row per sample
          to fix:   name a file with data
        """)
    #expect(
      try message("x,y\n") == """
        t.csv: the file has no samples
          expected: at least one sample
          to fix:   name a file with data
        """)
  }

  @Test("labels out of range are told")
  func labels() throws {
    #expect(
      try message("x,y\n1,0\n2,3\n3,-1\n", outputs: 3) == """
        t.csv:3:3: label "3" is not a class (and 1 more)
          expected: a class number from 0 to 2, since the model has 3 outputs
          to fix:   make the model's last layer as wide as there are classes, or repair the file
        """)
    #expect(
      try message("x,y\n1,cat\n2,dog\n", test: "x,y\n1,dgo\n") == """
        u.csv:2:3: label "dgo" is not a class
          expected: one of "cat", "dog"
          to fix:   did you mean "dog"?
        """)
    #expect(
      try message("x,y\n1,cat\n2,dog\n3,cow\n", outputs: 2) == """
        data: the data have 3 classes: cat, cow, dog
          expected: at most 2, since the model has 2 outputs
          to fix:   make the model's last layer 3 wide
        """)
  }

  @Test("targets that are no answers of yes or no are told")
  func multiHot() throws {
    #expect(
      try message("x,a,y\n1,0,2\n", targets: ["a", "y"], target: .multiHot) == """
        t.csv:2:5: column "y" is 2
          expected: 0 or 1
          to fix:   repair the cell, or set data.target_kind to values
        """)
    #expect(
      try message("x,a,y\n1,0,2\n", targets: ["a", "y"]) == """
        data.target: 2 columns for one class
          expected: one column of classes, or data.target_kind multi_hot or values
          to fix:   set data.target_kind to multi_hot or values
        """)
    #expect(
      try message("x,a,y\n1,0,2\n", targets: ["a", "y"], target: .values, outputs: 3) == """
        data: samples have 2 targets
          expected: 3, since the model has 3 outputs
          to fix:   make the model's last layer 2 wide
        """)
  }

  @Test("a test file that lacks columns is told")
  func testColumns() throws {
    #expect(
      try message("width,y\n1,0\n", test: "widht,y\n1,0\n") == """
        u.csv:1:1: there is no column "width"
          expected: one of "widht", "y"
          to fix:   did you mean "widht"?
        """)
  }

  @Test("class names of another number than the model's outputs are told")
  func names() throws {
    #expect(
      try message("x,y\n1,0\n2,1\n", names: ["a", "b", "c"], outputs: 2) == """
        data.class_names: 3 names for 2 classes
          expected: 2 names in the order of the class numbers
          to fix:   add or remove names
        """)
  }
}
