import Collectives
import DataParallel
import Metrics
import Storage

/// The timeline of a run: kept by every rank while it goes on, written by rank 0 at its end.
package final class RunTrace {
  /// Records of one message.
  private static let chunk = 1 << 16

  package let buffer: TraceBuffer
  private let spec: TraceSpec
  private let run: RunSpec
  private let plans: ModelPlans
  private let collectives: any Collectives
  private let clocks: HostClocks
  /// By rank, on rank 0.
  private let starts: [ClockLine.Point]

  /// All ranks call it.
  package init(
    _ spec: TraceSpec, of run: RunSpec, plans: ModelPlans, over collectives: any Collectives
  ) throws {
    self.spec = spec
    self.run = run
    self.plans = plans
    self.collectives = collectives
    buffer = spec.buffer(
      plans.training, shards: run.training.shards, ranks: collectives.ranks)
    clocks = HostClocks(over: collectives)
    starts = try clocks.measure()
  }

  /// Gathers all ranks' records on rank 0, one rank after another, and writes the file; all ranks call it.
  ///
  /// - Returns: What rank 0 tells the user.
  package func write(_ activity: RankActivity) throws -> [String] {
    activity.endTrace()
    let ends = try clocks.measure()
    let lines = zip(starts, ends).map { ClockLine(start: $0, end: $1) }
    let own = buffer.records
    let heads = try gatherHeads(own)
    let file = try collectives.agree { collectives.isRoot ? try TraceFile(spec.path) : nil }
    let firsts = zip(lines, heads).compactMap { line, head in
      head.count > 0 ? line.corrected(head.first) : nil
    }
    let text = TraceText(origin: firsts.min() ?? .now)
    file?.append(text.head(run: run.name, plan: plans.training.text, notes: notes(heads, lines)))
    for rank in heads.indices {
      let records = try gather(own, from: rank, count: heads[rank].count)
      guard let file else { continue }
      file.append(text.names(rank: rank, of: collectives.ranks, host: collectives.hosts[rank]))
      let spans = TraceTimeline.spans(
        of: records, instructions: plans.training.traceInstructions)
      file.append(spans, text, rank: rank, clock: lines[rank])
    }
    file?.append(text.tail)
    try collectives.agree { try file?.commit() }
    return report(heads, file)
  }

  /// What is known of a rank's records before they are gathered.
  private struct Head {
    var count: Int
    var dropped: Int
    var first: MonotonicInstant
  }

  private func gatherHeads(_ own: [TraceRecord]) throws -> [Head] {
    let first = own.first { $0.kind != .writeBegan && $0.kind != .writeEnded }
    let numbers = [
      Int64(own.count), Int64(buffer.droppedCount), first?.time.nanoseconds ?? Int64.max / 2,
    ]
    let bytes = AlignedMemory(copying: numbers).withBlock { $0.bytes.array }
    return try collectives.allGather(bytes).map { bytes in
      AlignedMemory(copying: bytes).withBlock { block in
        Head(
          count: Int(block.load(Int64.self, at: 0)), dropped: Int(block.load(Int64.self, at: 8)),
          first: MonotonicInstant(nanoseconds: block.load(Int64.self, at: 16)))
      }
    }
  }

  /// The records of `rank`, on rank 0.
  private func gather(_ own: [TraceRecord], from rank: Int, count: Int) throws -> [TraceRecord] {
    var records: [TraceRecord] = []
    for start in stride(from: 0, to: count, by: Self.chunk) {
      let range = start..<min(start + Self.chunk, count)
      let bytes = rank == collectives.rank ? Self.bytes(of: Array(own[range])) : []
      guard let all = try collectives.gather(bytes, to: 0) else { continue }
      let memory = AlignedMemory<TraceRecord>(count: range.count)
      AlignedMemory(copying: all[rank]).withBlock { memory.block.copyBytes(from: $0) }
      records += memory.array
    }
    return records
  }

  private static func bytes(of records: [TraceRecord]) -> [UInt8] {
    AlignedMemory(copying: records).withBlock { $0.bytes.array }
  }

  private func notes(_ heads: [Head], _ lines: [ClockLine]) -> [(key: String, value: String)] {
    let worst = lines.flatMap { [$0.start.uncertainty, $0.end.uncertainty] }.max() ?? .zero
    return [
      ("ranks", "\(heads.count)"), ("hosts", "\(Set(collectives.hosts).count)"),
      ("clock_uncertainty_microseconds", fixedPoint(worst.seconds * 1e6, digits: 1)),
      ("dropped_records", "\(heads.reduce(0) { $0 + $1.dropped })"),
    ]
  }

  private func report(_ heads: [Head], _ file: TraceFile?) -> [String] {
    let events = groupedDigits(file?.eventCount ?? 0)
    let line = "trace: \(spec.path), \(events) spans of \(heads.count) ranks"
    guard heads.contains(where: { $0.dropped > 0 }) else { return [line] }
    return [line + ", the newest that there was room for; --trace-steps FIRST..LAST chooses others"]
  }
}
