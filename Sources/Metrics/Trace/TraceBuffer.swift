import Storage

/// Room for a rank's newest records, made before the run: adding one is a few stores.
package final class TraceBuffer {
  /// The steps to keep, from 0; nil: all.
  private let steps: Range<Int>?
  private let memory: AlignedMemory<TraceRecord>
  /// Records ever added; the newest of them lie at their number modulo the capacity.
  private var added = 0
  private(set) var isRecording: Bool
  /// Nothing after it is kept.
  private var end: MonotonicInstant?

  /// - Parameters:
  ///   - capacity: Records; when there are more, the oldest make room.
  ///   - steps: The steps to keep; what happens between them is kept, too.
  package init(capacity: Int, steps: Range<Int>? = nil) {
    precondition(capacity > 0, "a timeline of \(capacity) records")
    memory = AlignedMemory(count: capacity)
    self.steps = steps
    isRecording = steps == nil
  }

  /// Records that had to make room.
  package var droppedCount: Int { max(0, added - memory.block.count) }

  /// The records that are left, oldest first.
  package var records: [TraceRecord] {
    let count = min(added, memory.block.count)
    return (added - count..<added).map { memory.block[$0 % memory.block.count] }
  }

  /// Switches recording on at the first and off after the last step that is to be kept.
  func prepare(step: Int, at now: MonotonicInstant) {
    guard let steps else { return }
    let isWanted = steps.contains(step)
    if isRecording, !isWanted { end(at: now) }
    isRecording = isWanted
  }

  /// Cuts whatever is under way and records no more.
  func end(at now: MonotonicInstant) {
    guard isRecording else { return }
    add(TraceRecord(.recordingEnded, at: now, step: 0, phase: .other))
    isRecording = false
    end = now
  }

  /// Adds what the writing thread did, which is known only later, if it falls into the timeline.
  func addWrite(from start: MonotonicInstant, to end: MonotonicInstant) {
    guard added > 0, memory.block[0].time <= end, start <= self.end ?? start else { return }
    append(TraceRecord(.writeBegan, at: start, step: 0, phase: .checkpoint))
    append(TraceRecord(.writeEnded, at: end, step: 0, phase: .checkpoint))
  }

  func add(_ record: TraceRecord) {
    guard isRecording else { return }
    append(record)
  }

  private func append(_ record: TraceRecord) {
    memory.block[added % memory.block.count] = record
    added += 1
  }
}
