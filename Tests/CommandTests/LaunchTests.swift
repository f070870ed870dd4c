import Foundation
import Testing

/// `launch/local` on this machine, with a shell script in the place of ddp-train.
@Suite("launch/local", .serialized)
struct LaunchTests {
  private static let local = Command.repository.appendingPathComponent("launch/local").path

  /// Starts `launch/local` with a script as the program; `$1` in it is the config.
  private func start(_ command: Command, _ options: [String], script: String) throws -> Process {
    try command.write("#!/bin/sh\n" + script, to: "program")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: command.path("program"))
    return try command.start(
      by: [Self.local] + options, ["DDP_TRAIN": command.path("program")],
      program: nil,
      ["some.yaml"])
  }

  /// Says when it is there; saves when asked, which takes a moment.
  private let patient = """
    exec 2>/dev/null
    trap 'sleep 1; echo "saved $OMPI_COMM_WORLD_RANK" >>saved; exit 75' USR1
    echo "rank $OMPI_COMM_WORLD_RANK"
    echo >"started-$OMPI_COMM_WORLD_RANK"
    while :; do sleep 0.1; done
    """

  private func waitForFiles(_ command: Command, _ names: [String]) {
    for _ in 0..<200 {
      if names.allSatisfy({ FileManager.default.fileExists(atPath: command.path($0)) }) { return }
      Thread.sleep(forTimeInterval: 0.1)
    }
    Issue.record("no \(names) within 20 seconds")
  }

  @Test(
    "the first signal lets all ranks save, and nothing is started again",
    arguments: [SIGINT, SIGTERM, SIGUSR1])
  func firstSignal(signal: Int32) throws {
    let command = try Command()
    defer { command.remove() }
    let process = try start(command, ["-n", "2", "--restarts", "3"], script: patient)
    waitForFiles(command, ["started-0", "started-1"])
    // Twice within half a second is one request.
    kill(process.processIdentifier, signal)
    kill(process.processIdentifier, signal)
    let result = try command.result(of: process)
    #expect(result.status == 75, "\(result.errors)")
    #expect(try command.read("saved").split(separator: "\n").sorted() == ["saved 0", "saved 1"])
    #expect(result.errors == "")
    #expect(result.output.split(separator: "\n").sorted() == ["rank 0", "rank 1"])
    try command.waitForRanksToEnd()
  }

  @Test("a second signal ends ranks that do not")
  func secondSignal() throws {
    let command = try Command()
    defer { command.remove() }
    let deaf = "trap '' USR1\necho >started\nwhile :; do sleep 0.1; done\n"
    let process = try start(command, ["-n", "1", "--restarts", "3"], script: deaf)
    waitForFiles(command, ["started"])
    kill(process.processIdentifier, SIGTERM)
    Thread.sleep(forTimeInterval: 0.7)
    #expect(process.isRunning)
    kill(process.processIdentifier, SIGTERM)
    let start = ContinuousClock.now
    let result = try command.result(of: process)
    #expect(ContinuousClock.now - start < .seconds(10))
    #expect(result.status == 128 + SIGTERM, "\(result.errors)")
    try command.waitForRanksToEnd()
  }

  @Test(
    "a crash is started again as often as allowed; other ends are not",
    arguments: [
      // Exit codes of the starts, restarts allowed, starts made, exit code in the end.
      ([1, 1, 0], 2, 3, 0), ([1, 1, 0], 1, 2, 1), ([0], 1, 1, 0), ([2], 1, 1, 2), ([3], 1, 1, 3),
      ([75], 1, 1, 75),
    ])
  func restarts(codes: [Int], allowed: Int, starts: Int, end: Int32) throws {
    let command = try Command()
    defer { command.remove() }
    let script = """
      echo >>starts
      set -- \(codes.map(String.init).joined(separator: " "))
      shift $(($(wc -l <starts) - 1))
      exit $1
      """
    let process = try start(command, ["-n", "1", "--restarts", "\(allowed)"], script: script)
    let result = try command.result(of: process)
    #expect(result.status == end, "\(result.errors)")
    #expect(try command.read("starts").count == starts)
    let said = (1..<starts).map { "launch/local: restart \($0) of \(allowed) after exit code 1" }
    #expect(
      result.errors.split(separator: "\n").map(String.init) == (starts > 1 ? said : []))
  }

  @Test("ranks have the user's terminal, and as many columns")
  func terminal() throws {
    let command = try Command()
    defer { command.remove() }
    let script = #"echo "terminal $DDP_TRAIN_TERMINAL columns $DDP_TRAIN_COLUMNS""#
    #expect(
      try command.result(of: start(command, ["-n", "1"], script: script)).output
        == "terminal 0 columns \n")
    let inTerminal = try command.run(
      by: ["script", "-qec", "stty cols 91; '\(Self.local)' -n 1 some.yaml", "/dev/null"],
      ["DDP_TRAIN": command.path("program")], program: nil, [])
    #expect(inTerminal.output.contains("terminal 1 columns 91"), "\(inTerminal.output)")
  }
}
