import Foundation
import Testing

/// `launch/slurm.sbatch` in the queue of a real Slurm.
@Suite(
  "A batch job under Slurm", .serialized,
  .enabled(if: SlurmBed.isPossible, Comment(rawValue: SlurmBed.requirement)))
@SlurmThread
struct SlurmTests {
  /// Runs until it is stopped; with `max_steps` in the file, until then.
  private let arguments = ["table.yaml", "--progress", "none", "output.folder=my runs/job"]

  private func endless(maxSteps: Int? = nil) -> String {
    SmallJob.table.replacing(
      "epochs: 3", with: "epochs: 10000000, max_steps: \(maxSteps.map(String.init) ?? "null")"
    ) + "evaluation: {every_epochs: 1000000}\ncheckpoint: {every_seconds: 0.2}\n"
  }

  private func withQueue(_ body: (SlurmBed, Command) throws -> Void) throws {
    let bed = try SlurmBed()
    defer { bed.remove() }
    let command = try Command.table()
    defer { command.remove() }
    try body(bed, command)
  }

  /// The steps that the run's checkpoints were saved at.
  private func savedSteps(of command: Command) -> [Int] {
    let names = try? FileManager.default.contentsOfDirectory(
      atPath: command.path("my runs/job/checkpoints"))
    return (names ?? []).compactMap { Int($0.replacing("step-", with: "")) }
  }

  private func waitForCheckpoint(_ command: Command, _ job: SlurmJob) throws {
    for _ in 0..<300 {
      if !savedSteps(of: command).isEmpty { return }
      Thread.sleep(forTimeInterval: 0.1)
    }
    Issue.record("no checkpoint within 30 seconds: \(job.output.suffix(2000))")
  }

  @Test("trains as the same run without a queue; bad input and divergence are not tried again")
  func plain() throws {
    try withQueue { bed, command in
      let job = try SlurmJob(bed, command, options: ["--ntasks", "3"], arguments)
      let wrong = try SlurmJob(bed, command, options: ["-N", "1"], ["table.yaml", "seed=x"])
      let wide = try SlurmJob(
        bed, command, options: ["--exclusive"],
        arguments + ["training.shards=2", "optimizer.learning_rate=1e30", "output.folder=wide"])
      #expect(try job.end() == "COMPLETED", "\(job.output)")
      #expect(job.remarks == ["job 1, start 1, 3 ranks on \(try job.field("NodeList"))"])
      #expect(try command.run(["table.yaml", "output.folder=alone"]).status == 0)
      #expect(
        try command.bytes("my runs/job/model.safetensors")
          == command.bytes("alone/model.safetensors"))

      #expect(try wrong.end() == "FAILED")
      #expect(try wrong.field("ExitCode") == "2:0" && wrong.field("Restarts") == "0")
      #expect(wrong.output.contains("command line: seed=x: "), "\(wrong.output)")
      #expect(wrong.remarks.first == "the job has one task, so one rank")

      #expect(try wide.end() == "FAILED")
      #expect(try wide.field("ExitCode") == "3:0" && wide.field("Restarts") == "0")
      #expect(
        wide.remarks.first == "4 tasks, but training.shards allows 2 ranks; the others idle")
    }
  }

  /// What takes a running job off its node, to come back later.
  enum Interruption: CaseIterable {
    case requeue, preemption, lostNode, signal, nearTimeLimit, pastTimeLimit

    var options: [String] {
      switch self {
      case .requeue, .preemption, .lostNode, .signal: []
      // The warning of two minutes is due at once; Slurm looks every 30 seconds.
      case .nearTimeLimit: ["--time", "1"]
      // Another warning, which nobody minds.
      case .pastTimeLimit: ["--time", "1", "--signal", "B:URG@1"]
      }
    }

    func happen(to job: SlurmJob) throws {
      switch self {
      case .requeue: try job.bed.run(["scontrol", "requeue", job.number])
      case .preemption:
        try job.bed.run(
          ["sbatch", "--partition", "urgent", "--exclusive", "--output=/dev/null", "--wrap=true"])
      case .lostNode:
        let node = "NodeName=\(try job.field("NodeList"))"
        // It comes back by itself (ReturnToService=2).
        try job.bed.run(["scontrol", "update", node, "State=DOWN", "Reason=test"])
      case .signal: try job.bed.run(["scancel", "--signal=USR1", "--batch", job.number])
      case .nearTimeLimit: break
      case .pastTimeLimit:
        try job.bed.run(["scontrol", "update", "JobId=\(job.number)", "EndTime=now+1"])
      }
    }

    /// What the script says at the end of the first start.
    var remark: Regex<Substring> {
      switch self {
      // The script may be killed before it can say it.
      case .lostNode: /job 1, start 1, 2 ranks on .*|Slurm ends this start .*/
      case .requeue, .preemption:
        /Slurm ends this start \(scancel, requeue or preemption\); saved state stays/
      case .signal, .nearTimeLimit:
        /stopped as asked \(exit code [0-9]+\); requeued \(1 of at most 50\)/
      case .pastTimeLimit: /the time limit ended the run; requeued \(1 of at most 50\)/
      }
    }
  }

  @Test(
    "taken off its node and started again, ends with the weights of an uninterrupted run",
    arguments: Interruption.allCases)
  func interrupted(interruption: Interruption) throws {
    try withQueue { bed, command in
      try command.write(endless(), to: "table.yaml")
      let job = try SlurmJob(
        bed, command, options: ["--ntasks", "2"] + interruption.options, arguments)
      try waitForCheckpoint(command, job)
      try interruption.happen(to: job)
      try job.wait("JobState", ["PENDING"])
      try command.waitForRanksToEnd()
      #expect(job.remarks.last?.wholeMatch(of: interruption.remark) != nil, "\(job.remarks)")

      // Slurm waits two minutes with a requeued job: time to give the run its last step.
      let saved = try #require(savedSteps(of: command).max())
      try command.write(endless(maxSteps: saved + 1000), to: "table.yaml")
      try job.startNow()
      let (state, reason) = (try job.end(), try job.field("Reason"))
      #expect(state == "COMPLETED", "\(state), \(reason): \(job.output.suffix(2000))")
      let restarts = Int(try job.field("Restarts")) ?? 0
      // A node that was lost may refuse its first job; Slurm then starts that again by itself.
      #expect(interruption == .lostNode ? restarts >= 1 : restarts == 1)
      let last = "job 1, start \(restarts + 1), 2 ranks on "
      #expect(job.remarks.last?.hasPrefix(last) == true, "\(job.remarks)")

      #expect(try command.run(["table.yaml", "output.folder=alone"]).status == 0)
      #expect(
        try command.bytes("my runs/job/model.safetensors")
          == command.bytes("alone/model.safetensors"))
    }
  }

  @Test("that was cancelled, crashed at once or used up its restarts, does not come back")
  func ended() throws {
    try withQueue { bed, command in
      try command.write(endless(), to: "table.yaml")
      let cancelled = try SlurmJob(bed, command, options: ["--ntasks", "2"], arguments)
      try waitForCheckpoint(command, cancelled)
      try bed.run(["scancel", cancelled.number])
      #expect(try cancelled.end() == "CANCELLED")
      #expect(
        cancelled.remarks.last
          == "Slurm ends this start (scancel, requeue or preemption); saved state stays")
      try command.waitForRanksToEnd()

      let stopped = try SlurmJob(
        bed, command, options: ["--ntasks", "2"], ["--restarts", "0"] + arguments)
      try stopped.waitForOutput("epoch ")
      try bed.run(["scancel", "--signal=USR1", "--batch", stopped.number])
      #expect(try stopped.end() == "FAILED")
      #expect(
        stopped.remarks.last?.hasSuffix("; requeued 0 times already, --restarts allows 0") == true,
        "\(stopped.remarks)")
      try command.waitForRanksToEnd()

      let crashed = try SlurmJob(bed, command, options: ["--ntasks", "2"], arguments)
      try crashed.waitForOutput("epoch ")
      try command.killAnyRank()
      #expect(try crashed.end() == "FAILED")
      #expect(
        crashed.remarks.suffix(2) == [
          "signal KILL ended a rank or mpirun",
          "crashed within 60 seconds (exit code 137); it would crash again",
        ])
    }
  }
}
