import Checkpoints
import Diagnostics
import Storage
import Testing

@Suite("Damaged checkpoints")
struct CheckpointDamageTests {
  let place: TemporaryFolder
  let checkpoints: CheckpointFolder

  static let files = ["SHA256SUMS", "checkpoint.json", "model.safetensors", "state.safetensors"]

  init() throws {
    place = try TemporaryFolder()
    checkpoints = CheckpointFolder(place.path(to: "checkpoints"))
    for step in [10, 20] {
      try checkpoints.save(
        CheckpointFolderTests.record(step, isBest: step == 20),
        CheckpointFolderTests.payload(Float(step)))
    }
  }

  func path(_ file: String, step: Int = 20) -> String {
    "\(checkpoints.path)/\(CheckpointFolder.name(step: step))/\(file)"
  }

  func change(_ file: String, step: Int = 20, _ body: (inout [UInt8]) -> Void) throws {
    var bytes = try FileContents.bytes(of: path(file, step: step))
    body(&bytes)
    try AtomicFile.write(bytes, to: path(file, step: step))
  }

  /// The warning, after checking that the checkpoint before was used.
  func warning() throws -> String {
    let (checkpoint, warnings) = try checkpoints.newestValid()
    #expect(checkpoint?.record.step == 10)
    #expect(warnings.count == 1)
    return warnings.map(\.description).joined(separator: "\n")
  }

  @Test("a changed byte in the weights is found and the checkpoint before is used")
  func changedWeight() throws {
    let before = try SHA256.hex(ofFile: path("model.safetensors")).prefix(12)
    try change("model.safetensors") { $0[$0.count - 1] ^= 1 }
    let after = try SHA256.hex(ofFile: path("model.safetensors")).prefix(12)
    #expect(
      try warning() == """
        \(path("model.safetensors")): the file is damaged: its SHA-256 begins with \(after), SHA256SUMS has \(before)
          expected: the file as it was saved
          to fix:   nothing: step-00000010 is used instead
        """)
  }

  @Test("a file that was cut off is named with the byte")
  func truncated() throws {
    try change("state.safetensors") { $0.removeLast(3) }
    #expect(
      try warning() == """
        \(path("state.safetensors")): byte 94: tensor 'adam.step' ends 8 bytes into the data, of which the file has only 5
          expected: a whole safetensors file
          to fix:   nothing: step-00000010 is used instead
        """)
  }

  @Test("an empty file is named")
  func empty() throws {
    try change("model.safetensors") { $0 = [] }
    #expect(
      try warning() == """
        \(path("model.safetensors")): byte 0: the file has 0 bytes, too few for the header's length
          expected: a whole safetensors file
          to fix:   nothing: step-00000010 is used instead
        """)
  }

  @Test("a missing file is named")
  func missing() throws {
    try Folder(containing: path("x")).removeEntry("checkpoint.json")
    #expect(
      try warning() == """
        \(path("checkpoint.json")): the file cannot be opened: No such file or directory
          expected: a file that this user may read
          to fix:   nothing: step-00000010 is used instead
        """)
  }

  @Test("a record that is no JSON although its digest agrees is named")
  func wrongJSON() throws {
    let old = try SHA256.hex(ofFile: path("checkpoint.json"))
    try AtomicFile.write("{", to: path("checkpoint.json"))
    let list = try FileContents.text(of: path("SHA256SUMS"))
    let lines = list.split(separator: "\n").map {
      $0.hasPrefix(old) ? SHA256.hex(of: "{") + "  checkpoint.json" : String($0)
    }
    try AtomicFile.write(lines.joined(separator: "\n"), to: path("SHA256SUMS"))
    #expect(
      try warning() == """
        \(path("checkpoint.json")): byte 1: the file is not valid JSON: a name in quotes is missing; the end of the text is there
          expected: the file as it was saved
          to fix:   nothing: step-00000010 is used instead
        """)
  }

  @Test("a damaged list of digests is named")
  func damagedList() throws {
    try change("SHA256SUMS") { $0.removeLast(2) }
    #expect(
      try warning().hasPrefix("\(path("SHA256SUMS")): the list of digests has a damaged line"))
    try change("SHA256SUMS") { $0 = [] }
    #expect(
      try warning() == """
        \(path("SHA256SUMS")): the list of digests does not name model.safetensors
          expected: the file as it was saved
          to fix:   nothing: step-00000010 is used instead
        """)
  }

  @Test("one changed bit anywhere in any file is found", arguments: files)
  func everyByte(file: String) throws {
    let original = try FileContents.bytes(of: path(file))
    for index in original.indices {
      var bytes = original
      bytes[index] ^= 0x10
      try writeQuickly(bytes, to: path(file))
      #expect(
        throws: Diagnostic.self, "byte \(index)",
        performing: { try checkpoints.load(named: "step-00000020") })
    }
    try AtomicFile.write(original, to: path(file))
    #expect(try checkpoints.newestValid().checkpoint?.record.step == 20)
  }

  @Test("when all are damaged, all are named")
  func allDamaged() throws {
    for step in [10, 20] { try change("model.safetensors", step: step) { $0 = [] } }
    func fault(_ step: Int) -> String {
      """
      \(path("model.safetensors", step: step)): byte 0: the file has 0 bytes, too few for the header's length
        expected: a whole safetensors file
        to fix:   copy or export the file again
      """
    }
    #expect(
      message { _ = try checkpoints.newestValid() } == """
        \(fault(20))
        \(fault(10))
        \(checkpoints.path): no whole checkpoint is left of 2
          expected: at least one to go on from
          to fix:   restore one from a copy, or start over with --fresh
        """)
  }

  @Test("a damaged best checkpoint is not given, but named")
  func damagedBest() throws {
    try change("model.safetensors") { $0 = [] }
    let (checkpoint, warnings) = try checkpoints.best()
    #expect(checkpoint == nil)
    #expect(warnings.map(\.place) == ["\(path("model.safetensors")): byte 0"])
  }
}
