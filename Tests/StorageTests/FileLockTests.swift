import Diagnostics
import Storage
import Testing

@Suite("Locks on files")
struct FileLockTests {
  private func lock(_ path: String, creates: Bool = true) throws -> FileLock? {
    try FileLock(path: path, creates: creates, patience: .milliseconds(10)) { words in
      Diagnostic(place: path, problem: "taken by \(words)", remedy: "wait")
    }
  }

  @Test("one holder at a time, whose words the others get; free again when it has gone")
  func exclusive() throws {
    let place = try TemporaryFolder()
    let path = place.path(to: "lock")
    var first = try lock(path)
    #expect(first?.isHeld == true)
    first?.leave("the one before, who said more")
    first?.leave("me")
    let refusal = #expect(throws: Diagnostic.self) { try lock(path) }
    #expect(refusal?.problem == "taken by me")
    first = nil
    #expect(try lock(path)?.isHeld == true)
  }

  @Test("a missing file is made only on request")
  func missing() throws {
    let place = try TemporaryFolder()
    #expect(try lock(place.path(to: "lock"), creates: false) == nil)
    #expect(try place.folder.entries() == [])
    _ = try lock(place.path(to: "lock"))
    #expect(try place.folder.entries() == ["lock"])
  }
}
