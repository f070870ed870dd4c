import Diagnostics

/// The SHA-256 of some files, in the format of `sha256sum`: a digest, two blanks and a name per line.
struct DigestList: Equatable {
  let digests: [String: String]

  init(_ digests: [String: String]) {
    self.digests = digests
  }

  var text: String {
    digests.sorted { $0.key < $1.key }.map { "\($0.value)  \($0.key)\n" }.joined()
  }

  /// - Parameters:
  ///   - names: The files that must be listed, and no others.
  ///   - path: The file the text comes from, for messages.
  init(text: String, names: [String], path: String) throws {
    var digests: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let digest = line.prefix(64)
      let name = line.dropFirst(66)
      guard digest.count == 64, digest.allSatisfy(\.isHexDigit),
        line.dropFirst(64).hasPrefix("  "), names.contains(String(name))
      else {
        throw Self.fault(path, "the list of digests has a damaged line '\(line)'")
      }
      digests[String(name)] = String(digest)
    }
    if let missing = names.first(where: { digests[$0] == nil }) {
      throw Self.fault(path, "the list of digests does not name \(missing)")
    }
    self.digests = digests
  }

  private static func fault(_ path: String, _ problem: String) -> Diagnostic {
    Diagnostic(
      place: path, problem: problem, expected: "the file as it was saved",
      remedy: "restore the file, or delete this checkpoint's folder")
  }
}
