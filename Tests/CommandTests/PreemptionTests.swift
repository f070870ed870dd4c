import Foundation
import Testing

@Suite("Preemption of real runs", .serialized)
struct PreemptionCommandTests {
  private let long = ["table.yaml", "training.epochs=1000000", "--progress", "none"]

  /// Returns as soon as the run has logged steps.
  private func waitForSteps(of command: Command) {
    Command.wait(for: "step") {
      (try? command.bytes("runs/table/metrics.jsonl"))?.isEmpty == false
    }
  }

  /// Expects exit code 75, the sentence in full, and a checkpoint of the step that it names.
  private func expectEnd(
    _ result: Command.Result, by reason: String, of command: Command
  ) throws {
    #expect(result.status == 75)
    let step = try #require(try command.newestStep())
    #expect(
      result.errors
        == "preempted by \(reason) at step \(step): saved, start the same command again to go on\n")
  }

  @Test(
    "a signal to one process ends all ranks at one step, saved, with exit code 75",
    arguments: [(nil, SIGTERM, "SIGTERM"), (3, SIGINT, "SIGINT"), (2, SIGUSR1, "SIGUSR1")])
  func oneProcess(ranks: Int?, signal: Int32, name: String) throws {
    let command = try Command.table()
    defer { command.remove() }
    let process = try command.start(ranks: ranks, long)
    waitForSteps(of: command)
    // The last rank, or the process itself.
    kill(Command.ranks(of: process).last ?? process.processIdentifier, signal)
    try expectEnd(try command.result(of: process), by: name, of: command)
  }

  @Test("SIGUSR1 to mpirun, or to mpirun and all ranks, is one request", arguments: [false, true])
  func launcher(andRanks: Bool) throws {
    let command = try Command.table()
    defer { command.remove() }
    let process = try command.start(ranks: 3, long)
    waitForSteps(of: command)
    let ranks = Command.ranks(of: process)
    kill(process.processIdentifier, SIGUSR1)
    if andRanks { for rank in ranks { kill(rank, SIGUSR1) } }
    try expectEnd(try command.result(of: process), by: "SIGUSR1", of: command)
  }

  @Test("a signal while the ranks still meet and read ends the start; nothing is written")
  func start() throws {
    let command = try Command.table()
    defer { command.remove() }
    let before = try command.everything()
    let process = try command.start(ranks: 2, long)
    Command.wait(for: "handler") {
      let ranks = Command.ranks(of: process)
      return ranks.count == 2 && Command.handles(SIGTERM, process: ranks[1])
    }
    kill(Command.ranks(of: process)[1], SIGTERM)
    let result = try command.result(of: process)
    #expect(result.status == 75)
    #expect(
      result.errors
        == "preempted by SIGTERM before the first step: start the same command again\n")
    #expect(try command.everything() == before)
  }

  @Test("a second signal ends the run at once with 128 + its number")
  func secondSignal() throws {
    let command = try Command.table()
    defer { command.remove() }
    let process = try command.start(ranks: 2, long)
    waitForSteps(of: command)
    let ranks = Command.ranks(of: process)
    try #require(ranks.count == 2)
    // A rank that stands still keeps the other from ending in order.
    kill(ranks[1], SIGSTOP)
    kill(ranks[0], SIGTERM)
    Thread.sleep(forTimeInterval: 0.7)
    #expect(process.isRunning)
    let start = ContinuousClock.now
    kill(ranks[0], SIGINT)
    let result = try command.result(of: process)
    #expect(ContinuousClock.now - start < .seconds(5))
    #expect(result.status == 128 + SIGINT)
    #expect(result.errors == "")
  }

  @Test("the job's own end time stops a run before it", arguments: [nil, 2])
  func endTime(ranks: Int?) throws {
    let command = try Command.table()
    defer { command.remove() }
    let end = Int(Date().timeIntervalSince1970) + 8
    let process = try command.start(
      ranks: ranks, long + ["preemption.grace_seconds=3"],
      environment: ["SLURM_JOB_END_TIME": "\(end)"])
    let result = try command.result(of: process)
    #expect(Date().timeIntervalSince1970 < Double(end))
    try expectEnd(result, by: "the end of the job's time", of: command)
    #expect(result.output.contains("\njob ends   "))
  }

  @Test("an end time that is over is a fault of the config, told once")
  func pastEndTime() throws {
    let command = try Command.table()
    defer { command.remove() }
    try expectRefusal(
      command, ["table.yaml", "preemption.end_time=2020-01-01T01:00:00+01:00"], ranks: 2,
      """
      preemption.end_time: 2020-01-01T00:00:00Z is over
        expected: a time ahead, before which the run saves and stops
        to fix:   give a later time, or preemption.end_time=null for none
      """)
  }
}

extension Command {
  fileprivate func logSize() -> Int {
    (try? bytes("runs/table/metrics.jsonl").count) ?? 0
  }
}

/// The issue's own measure: random preemptions over one run.
@Suite("Many preemptions", .serialized)
struct ManyPreemptionsTests {
  private enum Target: CaseIterable {
    case rank, launcher, everybody
  }

  /// 15 with `DDP_FULL_TESTS`, else 5.
  private static let count =
    ProcessInfo.processInfo.environment["DDP_FULL_TESTS"] == "1" ? 15 : 5

  private let arguments = [
    "table.yaml", "training.epochs=1000000", "checkpoint.every_seconds=0.02",
    "--progress", "none",
  ]

  @Test("at any moment, on changing numbers of ranks, lead to the weights of an unbroken run")
  func sameBits() throws {
    let command = try Command.table()
    defer { command.remove() }
    var generator = SystemRandomNumberGenerator()
    var story: [String] = []
    for attempt in 0..<Self.count {
      let ranks = [3, 2, 4, 1][attempt % 4]
      let target = Target.allCases[attempt % 3]
      let logged = command.logSize()
      let process = try command.start(ranks: ranks, arguments)
      // Two of three fall into steps, evaluations and saves, the others into the start as well.
      Command.wait(for: "handlers") {
        let started = Command.ranks(of: process)
        let areReady = started.allSatisfy { Command.handles(SIGTERM, process: $0) }
        return !process.isRunning || started.count == ranks && areReady
      }
      if attempt % 3 < 2 { Command.wait(for: "step") { command.logSize() > logged } }
      Thread.sleep(forTimeInterval: Double.random(in: 0..<0.4, using: &generator))
      // mpirun answers SIGTERM and SIGINT by ending all within two seconds, SIGUSR1 by passing it on.
      let signal = target == .rank ? [SIGTERM, SIGINT, SIGUSR1][attempt / 3 % 3] : SIGUSR1
      send(signal, to: target, of: process)
      let result = try command.result(of: process)
      try command.waitForRanksToEnd()
      story.append("\(signal) to \(target) of \(ranks): \(result.status) \(result.errors)")
      #expect(result.status == 75, "\(story)")
    }
    // Only mpirun, which then gives its ranks about two seconds.
    let cut = try command.start(ranks: 2, arguments)
    Thread.sleep(forTimeInterval: 0.8)
    kill(cut.processIdentifier, SIGTERM)
    _ = try command.result(of: cut)
    try command.waitForRanksToEnd()

    // However far the busy machine let it come, that is where both runs end.
    let last = try #require(try command.newestStep()) + 20
    let rest = arguments + ["training.max_steps=\(last)"]
    #expect(try command.run(ranks: 3, rest).status == 0)
    #expect(try command.run(rest + ["output.folder=whole"]).status == 0)
    for file in ["model.safetensors", "predictions.csv"] {
      let isSame = try command.bytes("runs/table/\(file)") == command.bytes("whole/\(file)")
      #expect(isSame, "\(file) after \(story)")
    }
  }

  private func send(_ signal: Int32, to target: Target, of process: Process) {
    let ranks = Command.ranks(of: process)
    if target != .launcher {
      for rank in target == .rank ? Array(ranks.suffix(1)) : ranks { kill(rank, signal) }
    }
    if target != .rank { kill(process.processIdentifier, signal) }
  }
}
