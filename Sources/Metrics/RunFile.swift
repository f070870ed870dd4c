import Diagnostics
import Foundation

let unwritableRemedy = "free space or choose another folder with output.folder=PATH"

/// Puts `text` into the file at `path`, whole or not at all.
package func writeFile(_ text: String, to path: String) throws {
  try reportingFault(at: path, "cannot be written") {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
  }
}

/// Runs `body`; what the system says against it becomes a diagnostic about `path`.
func reportingFault<Result>(
  at path: String, _ problem: String, _ body: () throws -> Result
) throws -> Result {
  do { return try body() } catch {
    throw Diagnostic(
      place: path, problem: "\(problem): \(systemReason(error))", remedy: unwritableRemedy)
  }
}

/// The operating system's own words where the error carries them.
private func systemReason(_ error: any Error) -> String {
  let fault = (error as? CocoaError)?.underlying ?? error
  return (fault as NSError).localizedFailureReason ?? error.localizedDescription
}
