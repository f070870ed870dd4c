import Glibc
import Storage
import Testing

@Suite("Folders")
struct FolderTests {
  @Test(
    "folders are created with those above them, listed in order and removed with their contents")
  func lifecycle() throws {
    let place = try TemporaryFolder()
    let folder = Folder(place.path(to: "a/b/c"))
    try folder.create()
    try folder.create()
    try AtomicFile.write("2", to: folder.path(to: "2"))
    try AtomicFile.write("1", to: folder.path(to: "1"))
    #expect(try folder.entries() == ["1", "2"])
    try Folder(place.path(to: "a")).remove()
    #expect(try place.folder.entries() == [])
    try Folder(place.path(to: "a")).remove()
  }

  @Test("removing a folder removes a link in it, not what it leads to")
  func links() throws {
    let place = try TemporaryFolder()
    try AtomicFile.write("kept", to: place.path(to: "kept"))
    let folder = Folder(place.path(to: "f"))
    try folder.create()
    #expect(symlink(folder.path, place.path(to: "shortcut")) == 0)
    #expect(Folder(place.path(to: "shortcut")).exists)
    #expect(symlink(place.path, folder.path(to: "link")) == 0)
    try folder.remove()
    #expect(try place.folder.entries() == ["kept", "shortcut"])
  }

  @Test(
    "paths are cut and joined",
    arguments: [
      ("x", ".", "x"), ("a/x", "a", "a/x"), ("/x", "/", "/x"), ("/a/b/x", "/a/b", "/a/b/x"),
    ])
  func paths(path: String, folder: String, joined: String) {
    #expect(Folder(containing: path).path == folder)
    #expect(Folder(folder).path(to: "x") == joined)
  }

  @Test("a folder that can be written is left empty")
  func writable() throws {
    let place = try TemporaryFolder()
    let folder = Folder(place.path(to: "runs/x"))
    try folder.prepareForWriting(setting: "output.folder")
    #expect(try folder.entries() == [])
  }

  @Test("a folder below a file cannot be created")
  func belowFile() throws {
    let place = try TemporaryFolder()
    let file = place.path(to: "file")
    try AtomicFile.write("x", to: file)
    #expect(
      message { try Folder(file + "/runs").prepareForWriting(setting: "output.folder") } == """
        \(file): the folder cannot be created: File exists
          expected: that output.folder names a folder in which this user may create files
          to fix:   give this user the permission, or set output.folder to another folder
        """)
  }

  @Test("a folder that takes no files is refused")
  func notWritable() {
    #expect(
      message { try Folder("/proc/self").prepareForWriting(setting: "output.folder") } == """
        /proc/self/.write-test: the file cannot be created: No such file or directory
          expected: that output.folder names a folder in which this user may create files
          to fix:   give this user the permission, or set output.folder to another folder
        """)
  }
}
