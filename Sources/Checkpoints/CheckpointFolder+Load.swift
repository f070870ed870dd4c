import Diagnostics
import Storage

extension CheckpointFolder {
  /// Reads the checkpoint called `name` and checks every byte of it.
  package func load(named name: String) throws -> LoadedCheckpoint {
    let place = Folder(folder.path(to: name))
    guard place.exists else { throw try unknown(name) }
    let listPath = place.path(to: Self.digestFile)
    let list = try DigestList(
      text: try FileContents.text(of: listPath),
      names: [Self.modelFile, Self.stateFile, Self.recordFile], path: listPath)
    for (file, digest) in list.digests.sorted(by: { $0.key < $1.key }) {
      try verify(place.path(to: file), digest: digest)
    }
    return LoadedCheckpoint(
      name: name, path: place.path, record: try record(of: name),
      model: try SafetensorsFile(path: place.path(to: Self.modelFile)),
      state: try SafetensorsFile(path: place.path(to: Self.stateFile)),
      modelDigest: list.digests[Self.modelFile] ?? "")
  }

  /// The newest whole checkpoint, or nil when there is none at all, with a warning for each damaged
  /// one that was passed over.
  ///
  /// - Throws: A `DiagnosticList` when there are checkpoints and all are damaged.
  package func newestValid() throws -> (checkpoint: LoadedCheckpoint?, warnings: [Diagnostic]) {
    var faults: [Diagnostic] = []
    let names = try names()
    for name in names {
      do {
        let checkpoint = try load(named: name)
        return (checkpoint, faults.map { Self.passedOver($0, for: name) })
      } catch let fault as Diagnostic {
        faults.append(fault)
      }
    }
    if faults.isEmpty { return (nil, []) }
    let summary = Diagnostic(
      place: path, problem: "no whole checkpoint is left of \(names.count)",
      expected: "at least one to go on from",
      remedy: "restore one from a copy, or start over with --fresh")
    throw DiagnosticList(faults + [summary])
  }

  /// The checkpoint with the best weights, or nil when none is marked or the marked one is damaged;
  /// the warnings say which.
  package func best() throws -> (checkpoint: LoadedCheckpoint?, warnings: [Diagnostic]) {
    var warnings: [Diagnostic] = []
    for name in try names() {
      do {
        guard try record(of: name).isBest else { continue }
        return (try load(named: name), warnings)
      } catch let fault as Diagnostic {
        warnings.append(fault)
      }
    }
    return (nil, warnings)
  }

  private func verify(_ path: String, digest: String) throws {
    let found = try SHA256.hex(ofFile: path)
    if found == digest { return }
    // A file that was cut off or has a damaged head says so itself, at a byte.
    if path.hasSuffix(".safetensors") { _ = try SafetensorsFile(path: path) }
    throw Diagnostic(
      place: path,
      problem: "the file is damaged: its SHA-256 begins with \(found.prefix(12)), "
        + "\(Self.digestFile) has \(digest.prefix(12))",
      expected: "the file as it was saved",
      remedy: "restore the file, or delete this checkpoint's folder")
  }

  private static func passedOver(_ fault: Diagnostic, for name: String) -> Diagnostic {
    var warning = fault
    warning.remedy = "nothing: \(name) is used instead"
    return warning
  }

  private func unknown(_ name: String) throws -> Diagnostic {
    let names = try names()
    return Diagnostic(
      place: path, problem: "there is no checkpoint '\(name)'",
      expected: names.isEmpty ? "a folder with checkpoints" : "one of \(abbreviated(names))",
      remedy: nearestName(to: name, among: names).map { "did you mean '\($0)'?" })
  }
}
