import Diagnostics
import Storage
import Testing

@Suite("Atomic files")
struct AtomicFileTests {
  @Test("several pieces become one file, and nothing else stays in the folder")
  func pieces() throws {
    let place = try TemporaryFolder()
    let path = place.path(to: "x")
    let bytes = AlignedMemory<UInt8>(copying: [1, 2, 3])
    try bytes.withBlock { try AtomicFile.write([$0[0..<2], $0[2..<2], $0[2..<3]], to: path) }
    #expect(try FileContents.bytes(of: path) == [1, 2, 3])
    #expect(try place.folder.entries() == ["x"])
  }

  @Test("without a commit the earlier file stays and the new bytes vanish")
  func abandoned() throws {
    let place = try TemporaryFolder()
    let path = place.path(to: "x")
    try AtomicFile.write("before", to: path)
    do {
      var file = try AtomicFile(replacing: path)
      try file.write([1, 2, 3])
      #expect(try place.folder.entries() == [".x.partial", "x"])
    }
    #expect(try place.folder.entries() == ["x"])
    #expect(try FileContents.text(of: path) == "before")
  }

  @Test("what a killed process left is overwritten by the next attempt")
  func leftover() throws {
    let place = try TemporaryFolder()
    try AtomicFile.write("a much longer leftover", to: place.path(to: ".x.partial"))
    try AtomicFile.write("new", to: place.path(to: "x"))
    #expect(try FileContents.text(of: place.path(to: "x")) == "new")
    #expect(try place.folder.entries() == ["x"])
  }

  @Test("a missing folder is named")
  func missingFolder() {
    #expect(
      message { try AtomicFile.write("x", to: "/nowhere/x") } == """
        /nowhere/x: the file cannot be created: No such file or directory
          expected: a folder in which this user may create files
          to fix:   check the path, also its upper and lower case
        """)
  }

  @Test("a full disk is called by its name")
  func fullDevice() throws {
    let text = message {
      var file = try OutputFile(path: "/dev/full", place: "runs/model.bin", expectedByteCount: 12)
      try file.write([1, 2, 3, 4])
    }
    let lines = text.split(separator: "\n")
    #expect(
      lines.first
        == "runs/model.bin: the disk is full: No space left on device after 0 bytes of the file")
    #expect(lines.dropFirst().first?.hasPrefix("  expected: room for 12 more bytes on its") == true)
    #expect(lines.last == "  to fix:   free space on that disk, or choose a folder on another one")
  }

  @Test(
    "a disk that fills up keeps the earlier file whole",
    .enabled(if: SmallDisk.isPossible, "needs the right to mount a small disk"))
  func fullDisk() throws {
    let disk = try #require(SmallDisk(byteCount: 1 << 16))
    let path = Folder(disk.path).path(to: "x")
    try AtomicFile.write("before", to: path)
    let large = [UInt8](repeating: 1, count: 200_000)
    #expect(
      message { try AtomicFile.write(large, to: path) } == """
        \(path): the disk is full: No space left on device after 61440 bytes of the file
          expected: room for 138560 more bytes on its disk; 0 are free
          to fix:   free space on that disk, or choose a folder on another one
        """)
    #expect(try FileContents.text(of: path) == "before")
    #expect(try Folder(disk.path).entries() == ["x"])
  }

  @Test("bytes are hashed on their way to the disk")
  func hashed() throws {
    let place = try TemporaryFolder()
    let large = AlignedMemory<UInt8>(copying: .init(repeating: 7, count: 700_001))
    let digest = SHA256()
    var file = try AtomicFile(replacing: place.path(to: "x"))
    try file.write(large.block, hashingInto: digest)
    try file.commit()
    withExtendedLifetime(large) {}
    #expect(try SHA256.hex(ofFile: place.path(to: "x")) == digest.finish())
  }
}
