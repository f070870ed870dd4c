import Diagnostics
import Storage

extension CheckpointFolder {
  /// Writes a checkpoint and gives its name; it is on the disk when the call returns.
  ///
  /// The files go to a temporary folder, each is synced, the folder is synced, and only then does it
  /// take its name. An error removes the temporary folder; earlier checkpoints are not touched. One
  /// of the same step is replaced.
  @discardableResult
  package func save(_ record: CheckpointRecord, _ payload: CheckpointPayload) throws -> String {
    let name = Self.name(step: record.step)
    let temporary = Self.temporaryPrefix + name
    try folder.create()
    try folder.removeEntry(temporary)
    do {
      try write(record, payload, to: Folder(folder.path(to: temporary)), finalName: name)
      try folder.moveEntry(temporary, to: name)
    } catch {
      // The first error is the one to report.
      try? folder.removeEntry(temporary)
      throw error
    }
    return name
  }

  private func write(
    _ record: CheckpointRecord, _ payload: CheckpointPayload, to target: Folder, finalName: String
  ) throws {
    let place = Folder(folder.path(to: finalName))
    func write(
      _ file: String, byteCount: Int, _ body: (inout OutputFile) throws -> String
    ) throws -> String {
      var output = try OutputFile(
        path: target.path(to: file), place: place.path(to: file), expectedByteCount: byteCount,
        staysInCache: false)
      let digest = try body(&output)
      try output.finish()
      return digest
    }
    func write(_ file: String, text: String) throws -> String {
      try write(file, byteCount: text.utf8.count) { output in
        try output.write(Array(text.utf8))
        return SHA256.hex(of: text)
      }
    }

    try target.create()
    var digests: [String: String] = [:]
    let model = SafetensorsLayout(payload.model)
    digests[Self.modelFile] = try write(Self.modelFile, byteCount: model.byteCount) {
      try model.write(into: &$0)
    }
    let state = SafetensorsLayout(payload.state)
    digests[Self.stateFile] = try write(Self.stateFile, byteCount: state.byteCount) {
      try state.write(into: &$0)
    }
    digests[Self.recordFile] = try write(Self.recordFile, text: record.text)
    _ = try write(Self.digestFile, text: DigestList(digests).text)
    try target.sync()
  }
}
