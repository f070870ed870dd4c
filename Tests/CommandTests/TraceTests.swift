import Foundation
import Testing

/// `--trace`: one timeline of all ranks, and the time of epochs.
@Suite("Timelines of runs", .serialized)
struct TraceTests {
  /// One event of a trace file, as far as it has these.
  private struct Event: Decodable {
    struct Arguments: Decodable {
      var name: String?
      var step: Int?
      var instruction: Int?
      var bucket: Int?
    }

    var ph: String
    var pid: Int
    var tid: Int?
    var cat: String?
    var name: String
    var id: String?
    var ts: Double?
    var dur: Double?
    var args: Arguments?

    /// Nanoseconds.
    var start: Int { Int(((ts ?? 0) * 1000).rounded()) }
    var end: Int { start + Int(((dur ?? 0) * 1000).rounded()) }
  }

  private struct Trace: Decodable {
    struct Other: Decodable {
      var run: String
      var plan: [String]
      var ranks: String
    }

    var otherData: Other
    var traceEvents: [Event]
  }

  private func trace(_ command: Command, _ path: String) throws -> Trace {
    try JSONDecoder().decode(Trace.self, from: command.bytes(path))
  }

  /// The lines of the printed plan that are instructions, in their order.
  private func instructions(_ plan: [String]) -> [String] {
    plan.filter { $0.hasPrefix("  ") }.map { String($0.dropFirst(2)) }
  }

  /// What an instruction computes, without the places of what it reads and writes.
  private func operation(_ line: String) -> String { line.components(separatedBy: " %")[0] }

  /// Expects that complete events of one row lie inside or behind each other.
  private func expectNesting(_ events: [Event]) {
    let ordered = events.sorted { ($0.start, -$0.end) < ($1.start, -$1.end) }
    var open: [Event] = []
    var crossings = 0
    for event in ordered {
      while let last = open.last, last.end <= event.start { open.removeLast() }
      if let last = open.last, event.end > last.end { crossings += 1 }
      open.append(event)
    }
    #expect(crossings == 0, "\(crossings) spans cross others")
  }

  @Test(
    "a trace has every rank, every step, and the instructions of the plan", arguments: [nil, 3])
  func whole(ranks: Int?) throws {
    let command = try Command.table()
    defer { command.remove() }
    let plan = try command.run(["summary", "table.yaml", "--plan"]).output
    let result = try command.run(
      ranks: ranks, ["table.yaml", "--progress", "none", "--trace", "logs/out.json"])
    #expect(result.status == 0, "\(result.errors)")
    #expect(result.output.contains("\ntrace: logs/out.json, "))
    let trace = try trace(command, "logs/out.json")
    #expect(trace.otherData.run == "table" && trace.otherData.ranks == "\(ranks ?? 1)")
    if ranks == nil {
      #expect(plan.hasSuffix(trace.otherData.plan.joined(separator: "\n") + "\n"))
    }
    let lines = instructions(trace.otherData.plan)
    // Places follow from how many micro-shards a rank takes through the network together.
    let shown = instructions(plan.split(separator: "\n").map(String.init))
    #expect(shown.map(operation) == lines.map(operation))
    let names = trace.traceEvents.filter { $0.name == "process_name" }.map(\.args?.name)
    #expect(names.count == ranks ?? 1)
    for rank in 0..<(ranks ?? 1) {
      #expect(names[rank]?.hasPrefix("rank \(rank) (") == true)
      let own = trace.traceEvents.filter { $0.pid == rank }
      let spans = own.filter { $0.ph == "X" }
      for row in [0, 1] { expectNesting(spans.filter { $0.tid == row }) }
      #expect(spans.allSatisfy { $0.start >= 0 && $0.end >= $0.start })
      let steps = spans.filter { $0.cat == "step" }
      #expect(steps.map(\.name) == (1...27).map { "step \($0)" })
      #expect(zip(steps, steps.dropFirst()).allSatisfy { $0.end <= $1.start })
      let work = spans.filter { $0.cat == "instruction" }
      let strange = work.filter { !lines[$0.args?.instruction ?? 0].hasPrefix($0.name) }
      #expect(strange.isEmpty, "\(strange.map(\.name))")
      #expect(Set(work.compactMap(\.args?.instruction)) == Set(lines.indices))
      let phases = Set(spans.filter { $0.cat == "phase" }.map(\.name))
      #expect(phases.isSuperset(of: ["compute", "data", "evaluation", "communication", "other"]))
      expectSums(own, lines, steps: 27)
    }
    let writes = trace.traceEvents.filter { $0.cat == "write" }
    #expect(!writes.isEmpty && writes.allSatisfy { $0.pid == 0 && $0.tid == 1 })
  }

  /// Expects one sum of every bucket in every step.
  private func expectSums(_ events: [Event], _ lines: [String], steps: Int) {
    let starts = events.filter { $0.ph == "b" }
    let ends = Dictionary(
      events.filter { $0.ph == "e" }.map { ($0.id ?? "", $0) }, uniquingKeysWith: { $1 })
    let buckets = lines.count { $0.hasPrefix("wait-sum") }
    #expect(starts.count == steps * buckets && ends.count == starts.count)
    for start in starts {
      let end = ends[start.id ?? ""]
      #expect(end?.name == start.name && end?.start ?? -1 >= start.start)
    }
  }

  @Test(
    "ranks of one host agree on the time: a wait for a sum ends after the last rank has started it")
  func oneClock() throws {
    let command = try Command.table()
    defer { command.remove() }
    let result = try command.run(
      ranks: 2, ["table.yaml", "--progress", "none", "--trace", "out.json"])
    #expect(result.status == 0, "\(result.errors)")
    let sums = try trace(command, "out.json").traceEvents.filter { $0.cat == "sum" }
    func times(_ kind: String, _ step: Int) -> [Int] {
      sums.filter { $0.ph == kind && $0.id?.hasSuffix(".\(step).0") == true }.map(\.start)
    }
    for step in 0..<27 {
      let (starts, ends) = (times("b", step), times("e", step))
      #expect(starts.count == 2 && ends.count == 2)
      #expect(ends.min() ?? 0 >= starts.max() ?? 1, "step \(step): \(starts), \(ends)")
    }
  }

  @Test("--trace-steps keeps these steps, and leaves the results alone")
  func stepRange() throws {
    let command = try Command.table()
    defer { command.remove() }
    let plain = ["table.yaml", "--progress", "none", "output.folder=plain"]
    #expect(try command.run(plain).status == 0)
    let result = try command.run(
      ranks: 2, ["table.yaml", "--progress", "none", "--trace", "t.json", "--trace-steps", "3..5"])
    #expect(result.status == 0, "\(result.errors)")
    let steps = try trace(command, "t.json").traceEvents.filter { $0.cat == "step" }
    #expect(steps.map(\.name) == ["step 3", "step 4", "step 5", "step 3", "step 4", "step 5"])
    #expect(
      try command.bytes("runs/table/model.safetensors") == command.bytes("plain/model.safetensors"))
  }

  @Test("a trace that cannot be written is refused before the run")
  func refusal() throws {
    let command = try Command.table()
    defer { command.remove() }
    try FileManager.default.createDirectory(
      atPath: command.path("folder"), withIntermediateDirectories: false)
    let arguments = ["table.yaml", "--progress", "none", "--trace", "folder"]
    let message = """
      --trace folder: this is a folder
        expected: a file in a folder in which this user may create files
        to fix:   name another file with --trace
      """
    try expectRefusal(command, arguments, message)
    let together = try command.run(ranks: 2, arguments)
    #expect(together.status == 2 && together.errors.hasSuffix(": \(message)\n"))
    try command.write("", to: "file")
    let inFile = try command.run(["table.yaml", "--trace", "file/out.json"])
    #expect(inFile.status == 2 && inFile.errors.hasPrefix("--trace file/out.json: "))
  }

  @Test("--trace-steps that make no sense", arguments: ["0..2", "5..3", "a", "1..2..3", "1-2", ""])
  func badSteps(steps: String) throws {
    let command = try Command.table()
    defer { command.remove() }
    let alone = try command.run(["table.yaml", "--trace-steps", "1..2"])
    #expect(alone.status == 2 && alone.errors.contains("--trace-steps needs --trace FILE."))
    let result = try command.run(["table.yaml", "--trace", "t.json", "--trace-steps", steps])
    #expect(result.status == 2 && result.errors.contains("--trace-steps"), "\(result.errors)")
  }

  @Test("the parts of an epoch's time add up to its length on every rank")
  func epochTimes() throws {
    struct Line: Decodable {
      var kind: String
      var epochSeconds: Double?
      var computeSeconds: [Double]?
      var communicationSeconds: [Double]?
      var waitingSeconds: [Double]?
      var dataSeconds: [Double]?
      var checkpointSeconds: [Double]?
      var evaluationSeconds: [Double]?
      var otherSeconds: [Double]?
    }
    let command = try Command.table()
    defer { command.remove() }
    let result = try command.run(ranks: 3, ["table.yaml", "--progress", "none"])
    #expect(result.status == 0, "\(result.errors)")
    let text = try command.read("runs/table/metrics.jsonl")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let lines = try text.split(separator: "\n").map {
      try decoder.decode(Line.self, from: Data($0.utf8))
    }
    let epochs = lines.compactMap(\.epochSeconds)
    let times = lines.filter { $0.kind == "time" }
    #expect(epochs.count == 3 && times.count == 3)
    for (epoch, time) in zip(epochs, times) {
      let parts = [
        time.computeSeconds, time.communicationSeconds, time.waitingSeconds, time.dataSeconds,
        time.checkpointSeconds, time.evaluationSeconds, time.otherSeconds,
      ].compactMap { $0 }
      #expect(parts.count == 7 && parts.allSatisfy { $0.count == 3 && $0.allSatisfy { $0 >= 0 } })
      // Rank 0's is the epoch; on a busy machine the others notice its end a little earlier or later.
      #expect(abs(parts.reduce(0) { $0 + $1[0] } - epoch) < 1e-6)
      for rank in 1..<3 {
        #expect(abs(parts.reduce(0) { $0 + $1[rank] } - epoch) < 0.02 * epoch + 0.1)
      }
    }
    let summary = try command.read("runs/table/summary.txt")
    #expect(summary.contains("\ntime\n               rank 0  rank 1  rank 2   share\ncompute "))
  }
}
