import Diagnostics

extension Folder {
  /// Creates the folder if it is missing and proves that files can be written in it, by writing one.
  ///
  /// - Parameter setting: The config's key for this folder, such as `output.folder`.
  package func prepareForWriting(setting: String) throws {
    let probe = ".write-test"
    do {
      try create()
      var file = try OutputFile(path: path(to: probe))
      try file.write([0])
      try file.finish()
      try removeEntry(probe)
    } catch let fault as Diagnostic {
      throw Diagnostic(
        place: fault.place, problem: fault.problem,
        expected: "that \(setting) names a folder in which this user may create files",
        remedy: "give this user the permission, or set \(setting) to another folder")
    }
  }
}
