import Foundation
import Testing

/// Ranks that stop or go round in circles: the job ends by itself, and its last line says why.
@Suite("A hang", .serialized)
struct HangTests {
  private static let arguments = [
    "table.yaml", "--progress", "none", "training.epochs=1000", "failure.hang_timeout_seconds=2",
  ]

  /// - Parameter late: A pattern for the words about the late rank, from its pid on.
  /// - Parameter others: A pattern for what the others do.
  private func expectHang(
    ranks: Int?, fault: String, rank: Int, late: String, others: String?, _ more: [String] = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let command = try Command.table()
    defer { command.remove() }
    // So that the data are ready, and only the fault takes time.
    #expect(try command.run(["table.yaml", "--dry-run"]).status == 0)
    let start = ContinuousClock.now
    let result = try command.run(ranks: ranks, Self.arguments + more + ["--inject", fault])
    let duration = ContinuousClock.now - start
    #expect(result.status == 1, "\(result.errors)", sourceLocation: sourceLocation)
    let tail = others.map { "; \($0)" } ?? ""
    let pattern = try Regex(
      "hang: rank \(rank) of \(ranks ?? 1) \\([^()]+\\), pid [0-9]+, \(late), for [23] s\(tail) "
        + "\\(failure\\.hang_timeout_seconds is 2\\)\n")
    #expect(
      try pattern.wholeMatch(in: result.errors) != nil, "\(result.errors)",
      sourceLocation: sourceLocation)
    // Start, the few steps before the fault, the timeout, two seconds more.
    #expect(duration < .seconds(3 + 2 + 2), sourceLocation: sourceLocation)
    try command.waitForRanksToEnd()
  }

  private static let sums = "wait in step 20, compute, [a-z]+-sum bucket 0"

  @Test("of a stopped rank names it and what the others wait for", arguments: [0, 1, 2])
  func stopped(rank: Int) throws {
    let others = [0, 1, 2].filter { $0 != rank }
    try expectHang(
      ranks: 3, fault: "stop:rank=\(rank),step=20", rank: rank,
      late: "is stopped in step 20, data",
      others: "ranks \(others[0]) and \(others[1]) \(Self.sums)")
  }

  @Test("in the middle of computing names the layer")
  func computing() throws {
    try expectHang(
      ranks: 2, fault: "stop:rank=1,step=20,at=compute", rank: 1,
      late: "is stopped in step 20, compute, [a-z_]+ \\[layers\\.[0-4]\\]",
      others: "rank 0 waits in step 20, compute, [a-z]+-sum bucket 0")
  }

  @Test("while the others sum the statistics of a batch norm names that layer")
  func wholeBatchNorm() throws {
    try expectHang(
      ranks: 2, fault: "stop:rank=1,step=20", rank: 1, late: "is stopped in step 20, data",
      others: "rank 0 waits in step 20, compute, sum over ranks \\[layers\\.1\\]",
      ["model.batch_norm_statistics=batch", "training.shards=2"])
  }

  @Test("of a loader that runs in circles names its rank", arguments: [0, 1])
  func loader(rank: Int) throws {
    try expectHang(
      ranks: 2, fault: "stall-loader:rank=\(rank),step=20", rank: rank,
      late: "has not moved in step 20, data",
      others: "rank \(1 - rank) waits in step 20, compute, [a-z]+-sum bucket 0")
  }

  @Test("of one rank alone is found by itself", arguments: [nil, 1])
  func alone(ranks: Int?) throws {
    try expectHang(
      ranks: ranks, fault: "stall-loader:rank=0,step=20", rank: 0,
      late: "has not moved in step 20, data", others: nil)
  }

  @Test("in an evaluation says so", arguments: [0, 1])
  func evaluation(rank: Int) throws {
    try expectHang(
      ranks: 2, fault: "stop:rank=\(rank),step=9,at=evaluation", rank: rank,
      late: "is stopped in the evaluation after step 9",
      others: "rank \(1 - rank) waits in the evaluation after step 9")
  }

  @Test("before the first step says so", arguments: [0, 1])
  func start(rank: Int) throws {
    try expectHang(
      ranks: 2, fault: "stop:rank=\(rank),at=start", rank: rank,
      late: "is stopped in the start, reading data and checkpoint",
      others: "rank \(1 - rank) waits in the start, reading data and checkpoint")
  }

  @Test("of a rank that never comes to the others ends too", arguments: [0, 1])
  func absent(rank: Int) throws {
    let command = try Command.table()
    defer { command.remove() }
    let launcher =
      "if [ $OMPI_COMM_WORLD_RANK = \(rank) ]; then exec sleep 60; fi; exec \"$0\" \"$@\""
    let result = try command.run(ranks: 2, Self.arguments, through: ["sh", "-c", launcher])
    #expect(result.status == 1)
    let pattern = try Regex(
      "hang: MPI_Init has not returned for [23] s: some ranks did not come to it "
        + "\\(failure\\.hang_timeout_seconds is 2\\)\n")
    #expect(try pattern.wholeMatch(in: result.errors) != nil, "\(result.errors)")
    try command.waitForRanksToEnd()
  }

  @Test("is none while the whole job is stopped and goes on later")
  func stoppedJob() throws {
    let command = try Command.table()
    defer { command.remove() }
    let process = try command.start(
      ranks: 2, Self.arguments + ["training.epochs=4000", "failure.hang_timeout_seconds=1.5"])
    try command.waitForSteps()
    let ranks = Command.ranks(of: process)
    #expect(ranks.count == 2)
    for rank in ranks { kill(rank, SIGSTOP) }
    Thread.sleep(forTimeInterval: 4)
    for rank in ranks { kill(rank, SIGCONT) }
    let result = try command.result(of: process)
    #expect(result.status == 0, "\(result.errors)")
  }
}

@Suite("An error on one rank", .serialized)
struct ThrownErrorTests {
  @Test("ends all within seconds, with that rank's message alone", arguments: [(2, 0), (4, 3)])
  func thrown(ranks: Int, rank: Int) throws {
    let command = try Command.table()
    defer { command.remove() }
    let process = try command.start(
      ranks: ranks,
      [
        "table.yaml", "--progress", "none", "training.epochs=100000", "--inject",
        "throw:rank=\(rank),step=500",
      ])
    try command.waitForSteps()
    let start = ContinuousClock.now
    let result = try command.result(of: process)
    #expect(ContinuousClock.now - start < .seconds(5))
    #expect(result.status == 1)
    let pattern = try Regex(
      "rank \(rank) of \(ranks) \\([^()]+\\): the error that --inject asked for, in step 500\n")
    #expect(try pattern.wholeMatch(in: result.errors) != nil, "\(result.errors)")
    try command.waitForRanksToEnd()
  }
}
