import Metrics
import Storage

/// The file of a timeline while it is written.
///
/// A fault is kept until `commit`, because the other ranks go on sending meanwhile.
final class TraceFile {
  /// Spans whose text is made at once.
  private static let chunk = 10_000

  private(set) var eventCount = 0
  private var file: AtomicFile?
  private var fault: (any Error)?

  init(_ path: String) throws {
    file = try AtomicFile(replacing: path)
  }

  func append(_ text: String) {
    guard fault == nil else { return }
    do { try file?.write(Array(text.utf8)) } catch { fault = error }
  }

  func append(_ spans: [TraceSpan], _ text: TraceText, rank: Int, clock: ClockLine) {
    for start in stride(from: 0, to: spans.count, by: Self.chunk) {
      let part = Array(spans[start..<min(start + Self.chunk, spans.count)])
      append(text.events(part, rank: rank, clock: clock))
    }
    eventCount += spans.count
  }

  /// Puts the file in place; nothing may be appended afterwards.
  func commit() throws {
    if let fault { throw fault }
    try file.take()?.commit()
  }
}
