import Foundation
import Testing

@Suite("Bad data", .serialized)
struct BadDataTests {
  @Test("a file that is missing")
  func missing() throws {
    let command = try Command.images()
    defer { command.remove() }
    try expectRefusal(
      command, ["images.yaml", "data.train.labels=elsewhere/labels.idx"],
      """
      elsewhere/labels.idx: the file cannot be opened: No such file or directory
        expected: a readable data file
        to fix:   correct the path in the data section, or put the file there
      """)
  }

  @Test("a file that was cut off")
  func truncated() throws {
    let command = try Command.images()
    defer { command.remove() }
    try command.write(try command.bytes("images.idx").prefix(200), to: "images.idx")
    try expectRefusal(
      command, ["images.yaml"],
      """
      images.idx, byte 200: the file ends after 184 of 384 data bytes
        expected: 24 x 4 x 4 elements of 1 byte, as its header says
        to fix:   download or copy the file again
      """)
  }

  @Test("fewer labels than images")
  func counts() throws {
    let command = try Command.images()
    defer { command.remove() }
    try command.write(SmallJob.idx([23], Array(SmallJob.labels.dropLast())), to: "labels.idx")
    try expectRefusal(
      command, ["images.yaml"],
      """
      labels.idx: 23 labels for 24 inputs
        expected: as many labels as \(command.path("images.idx").dropFirst(command.folder.path.count + 1)) has samples: 24
        to fix:   name files that belong together
      """)
  }

  @Test("a label beyond the model's outputs, found by the first rank")
  func labels() throws {
    let command = try Command.images()
    defer { command.remove() }
    var labels = SmallJob.labels
    labels[17] = 4
    try command.write(SmallJob.idx([24], labels), to: "labels.idx")
    let message = """
      labels.idx, byte 25: label 4 of sample 17 is out of range
        expected: a class number from 0 to 3, since the model has 4 outputs
        to fix:   make the model's last layer as wide as there are classes, or repair the file
      """
    try expectRefusal(command, ["images.yaml"], message)
    let first = "rank 0 of 3 (\(ProcessInfo.processInfo.hostName)): "
    try expectRefusal(command, ["images.yaml"], ranks: 3, first + message)
  }

  @Test("cells that are not finite, by line and column")
  func notANumber() throws {
    let command = try Command.table()
    defer { command.remove() }
    var lines = SmallJob.tableRows.split(separator: "\n").map(String.init)
    for (line, column, word) in [(6, 0, "nan"), (40, 1, "inf")] {
      var cells = lines[line].split(separator: ",").map(String.init)
      cells[column] = word
      lines[line] = cells.joined(separator: ",")
    }
    try command.write(lines.joined(separator: "\n") + "\n", to: "table.csv")
    let column = lines[40].split(separator: ",")[0].utf8.count + 2
    try expectRefusal(
      command, ["table.yaml"],
      """
      table.csv:7:1: column "size" is nan
        expected: a finite number
        to fix:   repair the cell or remove the row
      table.csv:41:\(column): column "weight" is inf
        expected: a finite number
        to fix:   repair the cell or remove the row
      """)
  }

  @Test("with --fresh, bad data cost no checkpoint")
  func fresh() throws {
    let command = try Command.table()
    defer { command.remove() }
    #expect(try command.run(["table.yaml", "--progress", "none"]).status == 0)
    try command.write(SmallJob.tableRows.replacing("blue,", with: "blue,,"), to: "table.csv")
    let before = try command.everything()
    #expect(try command.run(["table.yaml", "--fresh"]).status == 2)
    #expect(try command.everything() == before)
  }
}
