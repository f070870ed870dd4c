import Diagnostics
import Foundation

/// `metrics.jsonl`: one JSON object per line, appended while the run goes on.
///
/// A run that resumes at step s drops the lines beyond s and a last line that a kill cut short, so
/// the file always reads like one uninterrupted run.
package final class MetricsLog {
  package let path: String
  /// Every epoch in the log, those before the resume included: the rows of the summary.
  package private(set) var epochs: [EpochRecord]
  /// Every healing in the log, those before the resume included.
  package private(set) var heals: [HealRecord]
  private let file: FileHandle
  /// Bytes of whole lines.
  private var length: UInt64
  /// The last step written of each kind of record.
  private var lastSteps: [String: Int]

  /// Opens the log at `path`.
  ///
  /// - Parameter step: The step at which the run resumes; nil starts an empty log.
  /// - Throws: A `Diagnostic` with the system's reason when the file cannot be read or written.
  package init(path: String, resumingAt step: Int?) throws {
    let kept = try step.map { try keptRecords(in: path, upTo: $0) } ?? []
    let text = kept.map { $0.text + "\n" }.joined()
    try writeFile(text, to: path)
    guard let file = FileHandle(forWritingAtPath: path) else {
      throw Diagnostic(
        place: path, problem: "cannot be opened for appending", remedy: unwritableRemedy)
    }
    self.path = path
    self.file = file
    lastSteps = Dictionary(kept.map { ($0.kind, $0.step) }, uniquingKeysWith: max)
    epochs = kept.compactMap(\.epoch)
    heals = kept.compactMap(\.heal)
    length = UInt64(text.utf8.count)
    try reportingFault(at: path, "cannot be written") { _ = try file.seekToEnd() }
  }

  /// Writes one line, unless a record of its kind at this step or a later one is already there:
  /// a resumed run may look again at the moment at which it was cut.
  package func append(_ record: some MetricsRecord) throws {
    let kind = type(of: record).kind
    guard record.step > lastSteps[kind, default: -1] else { return }
    let line = Data((record.jsonText + "\n").utf8)
    do {
      try reportingFault(at: path, "cannot be written") { try file.write(contentsOf: line) }
    } catch {
      // Half a line on a full disk must not spoil the next one.
      try? file.truncate(atOffset: length)
      throw error
    }
    length += UInt64(line.count)
    lastSteps[kind] = record.step
    if let epoch = record as? EpochRecord { epochs.append(epoch) }
    if let heal = record as? HealRecord { heals.append(heal) }
  }
}

private struct KeptRecord {
  var text: String
  var kind: String
  var step: Int
  var epoch: EpochRecord?
  var heal: HealRecord?

  /// What every line has; the rest of it is kept as it stands.
  private struct Head: Decodable {
    var kind: String
    var step: Int
  }

  init?(_ line: Substring) {
    let data = Data(line.utf8)
    let decoder = JSONDecoder()
    guard let head = try? decoder.decode(Head.self, from: data) else { return nil }
    if head.kind == EpochRecord.kind {
      guard let epoch = try? decoder.decode(EpochRecord.self, from: data) else { return nil }
      self.epoch = epoch
    }
    if head.kind == HealRecord.kind {
      guard let heal = try? decoder.decode(HealRecord.self, from: data) else { return nil }
      self.heal = heal
    }
    text = String(line)
    kind = head.kind
    step = head.step
  }
}

private func keptRecords(in path: String, upTo step: Int) throws -> [KeptRecord] {
  guard FileManager.default.fileExists(atPath: path) else { return [] }
  let data = try reportingFault(at: path, "cannot be read") {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }
  let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
  return lines.compactMap(KeptRecord.init).filter { $0.step <= step }
}
