import Foundation
import Testing

/// Hangs of a job on several hosts, which are namespaces of this machine and talk over TCP.
@Suite(
  "A hang on several hosts", .serialized,
  .enabled(if: HostsBed.isPossible, Comment(rawValue: HostsBed.requirement)))
struct HostHangTests {
  /// Starts a job of two ranks on each of two hosts.
  private func withJob(
    _ more: [String], _ body: (HostsBed, Command, Process) throws -> Void
  ) throws {
    let bed = try HostsBed(2)
    defer { bed.remove() }
    let command = try Command.table()
    defer { command.remove() }
    let process = try command.start(
      by: bed.launcher + ["mpirun", "-q", "-H", "node1:2,node2:2"], HostsBed.environment,
      [
        "table.yaml", "--progress", "none", "training.epochs=100000",
        "failure.hang_timeout_seconds=8",
      ] + more)
    try body(bed, command, process)
  }

  /// Where a rank may have been when it was last heard of.
  private static let place =
    "(step [0-9]+, [-a-z_ ,.\\[\\]0-9]+|the (work|evaluation) after step [0-9]+|"
    + "the work before the first step|the start, reading data and checkpoint)"

  @Test("of a stopped rank is told once, by its own host", arguments: [0, 3])
  func stopped(rank: Int) throws {
    try withJob(["--inject", "stop:rank=\(rank),step=20"]) { _, command, process in
      let result = try command.result(of: process)
      #expect(result.status == 1)
      // News of the other host come through this host's first rank.
      let others =
        rank % 2 == 0
        ? "rank \(rank + 1) waits in step 20, compute, [a-z]+-sum bucket 0"
          + "(; ranks? [0-3]( and [0-3])? (was|were) last seen in \(Self.place))*"
        : "ranks 0, 1 and 2 wait in step 20, compute, [a-z]+-sum bucket 0"
      let pattern = try Regex(
        "hang: rank \(rank) of 4 \\(node[12]\\), pid [0-9]+, is stopped in step 20, data, for (8|9|10) s; "
          + others + " \\(failure\\.hang_timeout_seconds is 8\\)\n")
      #expect(try pattern.wholeMatch(in: result.errors) != nil, "\(result.errors)")
    }
  }

  @Test("of a host that answers no more names it", .timeLimit(.minutes(2)))
  func silentHost() throws {
    try withJob(["evaluation.every_epochs=100000"]) { bed, command, process in
      try command.waitForSteps()
      // Hosts tell each other every second where they are.
      Thread.sleep(forTimeInterval: 2)
      try bed.cut("node2")
      let start = ContinuousClock.now
      while try command.said().isEmpty, ContinuousClock.now - start < .seconds(40) {
        Thread.sleep(forTimeInterval: 0.05)
      }
      let pattern = try Regex(
        "hang: host node2 \\(ranks 2 and 3\\) has not answered for (9|1[0-9]) s"
          + "(; (rank [23] was|ranks 2 and 3 were) last seen in \(Self.place))*"
          + "(; ranks? [01]( and 1)? waits? in \(Self.place))+ \\(failure\\.hang_timeout_seconds is 8\\)"
      )
      let line = try command.said().split(separator: "\n").first.map(String.init) ?? ""
      #expect(try pattern.wholeMatch(in: line) != nil, "\(line)")
      // mpirun has no answer from the daemon there; whoever started it ends it.
      process.terminate()
    }
  }
}
