import Diagnostics
import Storage
import Testing

@Suite("Mapped files")
struct MappedFileTests {
  @Test("a mapped file shows the bytes of the file", arguments: [0, 1, 4095, 4096, 10_007])
  func contents(byteCount: Int) throws {
    let place = try TemporaryFolder()
    let expected = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    try AtomicFile.write(expected, to: place.path(to: "x"))
    let file = try MappedFile(path: place.path(to: "x"))
    #expect(file.byteCount == byteCount)
    #expect(file.withBytes { $0.array } == expected)
    #expect(try FileContents.bytes(of: file.path) == expected)
  }

  @Test("numbers are read at any offset, aligned or not")
  func numbers() {
    AlignedMemory<UInt8>(copying: [9, 0, 0, 128, 63, 0, 0, 0, 0, 0, 0, 0]).withBlock { source in
      #expect(source.load(Float.self, at: 1) == 1)
      #expect(source[0..<8].elements(Float.self)?.count == 2)
      #expect(source[1..<9].elements(Float.self) == nil)
      #expect(source[0..<6].elements(Float.self) == nil)
      source[8..<12].copyBytes(from: source[1..<5])
      #expect(source.load(Float.self, at: 8) == 1)
      #expect(source.elements(Float.self)?.withSpan { $0[2] } == 1)
    }
  }

  @Test("a missing file is named with what the system says")
  func missing() {
    let expected = """
      /nowhere/x.gz: the file cannot be opened: No such file or directory
        expected: a file that this user may read
        to fix:   check the path, also its upper and lower case
      """
    #expect(message { _ = try MappedFile(path: "/nowhere/x.gz") } == expected)
    #expect(message { _ = try FileContents.bytes(of: "/nowhere/x.gz") } == expected)
  }

  @Test("a folder is not a file")
  func folder() {
    #expect(
      message { _ = try MappedFile(path: "/tmp") } == """
        /tmp: the file cannot be opened: Is a directory
          expected: a file that this user may read
          to fix:   name a file, not a folder
        """)
  }

  @Test("text that is not UTF-8 is refused at its first wrong byte")
  func notText() throws {
    let place = try TemporaryFolder()
    let path = place.path(to: "t")
    try AtomicFile.write([0x61, 0xC3, 0xA4, 0xFF, 0x62], to: path)
    #expect(
      message { _ = try FileContents.text(of: path) } == """
        \(path): byte 3: the file is not UTF-8 text
          expected: text in UTF-8
          to fix:   save the file as UTF-8
        """)
    try AtomicFile.write("grün\n", to: path)
    #expect(try FileContents.text(of: path) == "grün\n")
  }
}

/// What the user reads when `body` fails.
func message(_ body: () throws -> Void) -> String {
  do {
    try body()
    return "no error"
  } catch { return "\(error)" }
}
