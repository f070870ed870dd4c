/// Turns the changes that a rank recorded into spans: every change ends what it replaces.
package struct TraceTimeline {
  private let instructions: [TraceInstruction]
  private var spans: [TraceSpan] = []
  private var step: TraceRecord?
  private var phase: TraceRecord?
  private var instruction: TraceRecord?
  private var write: TraceRecord?
  /// By bucket: where its sum started.
  private var sums: [Int: MonotonicInstant] = [:]

  /// The spans of `records`, which are in the order in which they were recorded.
  ///
  /// In the row `work` spans nest: steps contain phases, phases contain instructions. Records at the
  /// beginning that belong to something whose beginning is lost are passed over.
  package static func spans(
    of records: [TraceRecord], instructions: [TraceInstruction]
  ) -> [TraceSpan] {
    var timeline = TraceTimeline(instructions: instructions)
    for record in records { timeline.add(record) }
    if let last = records.last(where: { !$0.isOfWriter }) { timeline.endAll(at: last.time) }
    return timeline.spans
  }

  private init(instructions: [TraceInstruction]) {
    self.instructions = instructions
  }

  private mutating func add(_ record: TraceRecord) {
    switch record.kind {
    case .stepBegan:
      endAll(at: record.time)
      step = record
    case .stepEnded, .recordingEnded: endAll(at: record.time)
    case .phaseBegan:
      endPhase(at: record.time)
      phase = record
    case .instructionBegan:
      endInstruction(at: record.time)
      guard phase != nil else { return }
      instruction = record
      if case .startsSum(let bucket) = role(of: record) { sums[bucket] = record.time }
    case .writeBegan: write = record
    case .writeEnded:
      if let start = write?.time {
        spans.append(TraceSpan(.writer, .write, "write checkpoint", from: start, to: record.time))
      }
      write = nil
    }
  }

  private func role(of record: TraceRecord) -> TraceInstruction.Role {
    instructions[Int(record.instruction)].role
  }

  private mutating func endInstruction(at time: MonotonicInstant) {
    guard let began = instruction else { return }
    instruction = nil
    let index = Int(began.instruction)
    spans.append(
      TraceSpan(
        .work, .instruction, instructions[index].name, from: began.time, to: time,
        step: Int(began.step), instruction: index, shard: Int(began.shard)))
    if case .waitsForSum(let bucket) = role(of: began), let start = sums.removeValue(forKey: bucket)
    {
      spans.append(
        TraceSpan(
          .sums, .sum, "sum bucket \(bucket)", from: start, to: time, step: Int(began.step),
          bucket: bucket))
    }
  }

  private mutating func endPhase(at time: MonotonicInstant) {
    endInstruction(at: time)
    guard let began = phase else { return }
    phase = nil
    guard began.time < time else { return }
    spans.append(
      TraceSpan(
        .work, .phase, began.phase.name, from: began.time, to: time,
        step: step.map { Int($0.step) }))
  }

  private mutating func endAll(at time: MonotonicInstant) {
    endPhase(at: time)
    sums = [:]
    guard let began = step else { return }
    step = nil
    spans.append(
      TraceSpan(
        .work, .step, "step \(began.step + 1)", from: began.time, to: time, step: Int(began.step)))
  }
}

extension TraceRecord {
  fileprivate var isOfWriter: Bool { kind == .writeBegan || kind == .writeEnded }
}
