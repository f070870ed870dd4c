import Metrics
import Testing

@Suite("Timelines")
struct TraceTimelineTests {
  private let instructions = [
    TraceInstruction(name: "dense [layers.0]"),
    TraceInstruction(name: "end-leaf, start-sum bucket 0", role: .startsSum(bucket: 0)),
    TraceInstruction(name: "wait-sum bucket 0", role: .waitsForSum(bucket: 0)),
  ]

  private func at(_ microseconds: Int64) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: microseconds * 1000)
  }

  /// Two micro-shards of one step, told to an activity at made-up times where it takes them.
  private func step(_ buffer: TraceBuffer) -> RankActivity {
    let activity = RankActivity(trace: buffer, at: at(0))
    activity.begin(step: 4, at: at(10))
    activity.begin(.data, at: at(11))
    activity.begin(.compute, at: at(15))
    activity.endStep(at: at(90))
    activity.begin(.evaluation, at: at(95))
    activity.endTrace(at: at(99))
    return activity
  }

  @Test("steps contain phases, what lies between steps stands alone")
  func phases() {
    let buffer = TraceBuffer(capacity: 100)
    _ = step(buffer)
    let spans = TraceTimeline.spans(of: buffer.records, instructions: instructions)
    #expect(
      spans == [
        TraceSpan(.work, .phase, "other", from: at(0), to: at(10)),
        TraceSpan(.work, .phase, "compute", from: at(10), to: at(11), step: 4),
        TraceSpan(.work, .phase, "data", from: at(11), to: at(15), step: 4),
        TraceSpan(.work, .phase, "compute", from: at(15), to: at(90), step: 4),
        TraceSpan(.work, .step, "step 5", from: at(10), to: at(90), step: 4),
        TraceSpan(.work, .phase, "other", from: at(90), to: at(95)),
        TraceSpan(.work, .phase, "evaluation", from: at(95), to: at(99)),
      ])
  }

  private func record(
    _ kind: TraceRecord.Kind, _ time: Int64, _ instruction: Int = -1, shard: Int = 0
  ) -> TraceRecord {
    TraceRecord(
      kind, at: at(time), step: 0, phase: .compute, instruction: instruction, shard: shard)
  }

  @Test("a sum lasts from the last micro-shard's start to the end of the wait")
  func sums() {
    let records = [
      record(.stepBegan, 0), record(.phaseBegan, 0), record(.instructionBegan, 1, 0, shard: 2),
      record(.instructionBegan, 5, 1, shard: 2), record(.instructionBegan, 6, 0, shard: 3),
      record(.instructionBegan, 10, 1, shard: 3), record(.instructionBegan, 12, 2, shard: 3),
      record(.stepEnded, 20),
    ]
    let spans = TraceTimeline.spans(of: records, instructions: instructions)
    #expect(
      spans.filter { $0.row == .sums } == [
        TraceSpan(.sums, .sum, "sum bucket 0", from: at(10), to: at(20), step: 0, bucket: 0)
      ])
    let work = spans.filter { $0.category == .instruction }
    #expect(work.map(\.name) == [0, 1, 0, 1, 2].map { instructions[$0].name })
    #expect(work.map(\.shard) == [2, 2, 3, 3, 3])
    #expect(zip(work, work.dropFirst()).allSatisfy { $0.end == $1.start })
  }

  @Test("records whose beginning is lost are passed over, and what is open at the end is cut there")
  func cut() {
    let records = [
      record(.instructionBegan, 3, 0), record(.writeBegan, 1), record(.writeEnded, 4),
      record(.phaseBegan, 5), record(.instructionBegan, 6, 0), record(.instructionBegan, 9, 2),
    ]
    let spans = TraceTimeline.spans(of: records, instructions: instructions)
    #expect(
      spans == [
        TraceSpan(.writer, .write, "write checkpoint", from: at(1), to: at(4)),
        TraceSpan(
          .work, .instruction, "dense [layers.0]", from: at(6), to: at(9), step: 0, instruction: 0,
          shard: 0),
        TraceSpan(
          .work, .instruction, "wait-sum bucket 0", from: at(9), to: at(9), step: 0,
          instruction: 2, shard: 0),
        TraceSpan(.work, .phase, "compute", from: at(5), to: at(9)),
      ])
  }

  @Test("a full buffer keeps the newest records")
  func ring() {
    let buffer = TraceBuffer(capacity: 4)
    _ = step(buffer)
    #expect(buffer.records.map(\.time) == [90, 90, 95, 99].map(at))
    #expect(buffer.records.map(\.kind) == [.stepEnded, .phaseBegan, .phaseBegan, .recordingEnded])
    #expect(buffer.droppedCount == 5)
  }

  @Test("only the steps asked for are kept, and a checkpoint written meanwhile")
  func stepRange() {
    let buffer = TraceBuffer(capacity: 100, steps: 2..<4)
    let activity = RankActivity(trace: buffer, at: at(0))
    for step in 0..<6 {
      activity.begin(step: step, at: at(Int64(step) * 10))
      activity.endStep(at: at(Int64(step) * 10 + 8))
    }
    activity.noteWrite(from: at(1), to: at(19))
    activity.noteWrite(from: at(22), to: at(41))
    activity.noteWrite(from: at(43), to: at(50))
    activity.endTrace(at: at(99))
    let spans = TraceTimeline.spans(of: buffer.records, instructions: [])
    #expect(
      spans.filter { $0.category == .step }.map(\.name) == ["step 3", "step 4"])
    #expect(spans.filter { $0.row == .work }.map(\.end).max() == at(40))
    #expect(spans.filter { $0.row == .writer }.map(\.start) == [at(22)])
  }
}
