import Foundation
import Testing

/// Runs the real binary as a user does, alone or under `mpirun`, in a folder of its own.
struct Command {
  /// Where the program runs.
  let folder: URL
  private let base: URL
  private let sharesCache: Bool

  /// - Parameter sharesCache: Whether prepared data are kept for later runs of this user, as large
  ///   data should be; else they go when the command goes.
  init(sharesCache: Bool = false) throws {
    self.sharesCache = sharesCache
    base = FileManager.default.temporaryDirectory
      .appendingPathComponent("ddp-train-\(UUID().uuidString)")
    folder = base.appendingPathComponent("work")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// The repository: three levels above this file.
  static let repository = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// The folder that the test bundle was built into holds the program too.
  static let program = URL(fileURLWithPath: CommandLine.arguments[0])
    .resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent("ddp-train")

  struct Result {
    var status: Int32
    var output: String
    /// With the command's own folder taken out of paths.
    var errors: String
  }

  /// - Parameter ranks: nil: without `mpirun`.
  @discardableResult
  func run(
    ranks: Int? = nil, _ arguments: [String], environment: [String: String] = [:],
    through wrapper: [String] = []
  ) throws -> Result {
    try result(
      of: start(ranks: ranks, arguments, environment: environment, through: wrapper))
  }

  /// Starts the program and returns at once; its output goes to files beside the folder.
  ///
  /// - Parameter wrapper: A command that each rank's process begins with.
  func start(
    ranks: Int? = nil, _ arguments: [String], environment: [String: String] = [:],
    through wrapper: [String] = []
  ) throws -> Process {
    let launcher = ranks.map {
      ["mpirun", "--oversubscribe", "--bind-to", "none", "-q", "-n", "\($0)"]
    }
    return try start(by: (launcher ?? []) + wrapper, environment, arguments)
  }

  /// Runs the program by a launcher.
  ///
  /// - Parameter program: nil: the launcher knows it.
  func run(
    by launcher: [String], _ variables: [String: String], program: URL? = Self.program,
    _ arguments: [String]
  ) throws -> Result {
    try result(of: start(by: launcher, variables, program: program, arguments))
  }

  /// Starts it so.
  func start(
    by launcher: [String], _ variables: [String: String], program: URL? = Self.program,
    _ arguments: [String]
  ) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = launcher + (program.map { [$0.path] } ?? []) + arguments
    process.currentDirectoryURL = folder
    var environment = [
      "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
      "OMPI_MCA_btl_vader_single_copy_mechanism": "none", "NO_COLOR": "1",
    ]
    if !sharesCache { environment["XDG_CACHE_HOME"] = base.appendingPathComponent("cache").path }
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
      .merging(variables) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try file("stdout")
    process.standardError = try file("stderr")
    try process.runUnblocked()
    return process
  }

  /// What a started program has written so far to `stderr` or `stdout`.
  func said(_ name: String = "stderr") throws -> String {
    String(decoding: try Data(contentsOf: base.appendingPathComponent(name)), as: UTF8.self)
  }

  /// Waits for a started program; one that hangs is killed, with an issue that says where it was.
  ///
  /// - Parameter minutes: Far more than any program of these tests needs on the slowest machine.
  func result(of process: Process, minutes: Double = 10) throws -> Result {
    let deadline = Date(timeIntervalSinceNow: 60 * minutes)
    while process.isRunning, Date() < deadline { usleep(2000) }
    if process.isRunning {
      Issue.record("not done after \(minutes) minutes: \(try standstill())\n\(try said())")
      try processes().forEach { kill($0, SIGKILL) }
      kill(process.processIdentifier, SIGKILL)
    }
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, output: try said("stdout"),
      errors: try said("stderr").replacing(folder.path + "/", with: "").replacing(
        Self.launcherNoise, with: ""))
  }

  /// What the event loop inside mpirun 4.1 says now and then while it ends a job.
  private static var launcherNoise: Regex<Substring> { /\[warn\] Epoll [^\n]*\n/ }

  func remove() {
    try? FileManager.default.removeItem(at: base)
  }

  private func file(_ name: String) throws -> FileHandle {
    let url = base.appendingPathComponent(name)
    try Data().write(to: url)
    return try FileHandle(forWritingTo: url)
  }
}

/// Files in the command's folder.
extension Command {
  func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  func read(_ path: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
  }

  func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: folder.appendingPathComponent(path))
  }

  func write(_ text: String, to path: String) throws {
    try write(Data(text.utf8), to: path)
  }

  func write(_ bytes: Data, to path: String) throws {
    try bytes.write(to: folder.appendingPathComponent(path))
  }

  /// Every file and folder below the command's folder, with the bytes of files.
  func everything() throws -> [String: Data] {
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path)
    return Dictionary(uniqueKeysWithValues: names.map { ($0, (try? bytes($0)) ?? Data()) })
  }
}

/// Processes of a launcher.
extension Command {
  /// Kills one rank of a running `mpirun`; says whether there was one.
  @discardableResult
  static func killAnyRank(of launcher: Process) throws -> Bool {
    guard let rank = ranks(of: launcher).randomElement() else { return false }
    return kill(rank, SIGKILL) == 0
  }

  /// The processes that a running `mpirun` has started, by rank.
  static func ranks(of launcher: Process) -> [Int32] {
    let path = "/proc/\(launcher.processIdentifier)/task/\(launcher.processIdentifier)/children"
    let children = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    return children.split(separator: " ").compactMap { Int32($0) }
  }

  /// Returns as soon as the run of `table.yaml` has logged steps.
  func waitForSteps() throws {
    for _ in 0..<300 {
      if let log = try? bytes("runs/table/metrics.jsonl"), !log.isEmpty { return }
      Thread.sleep(forTimeInterval: 0.1)
    }
    Issue.record("no step within 30 seconds")
  }

  /// Returns as soon as the run in `output` has saved its state.
  func waitForCheckpoint(in output: String) throws {
    for _ in 0..<300 {
      let saved = try? FileManager.default.contentsOfDirectory(
        atPath: path("\(output)/checkpoints"))
      if saved?.contains(where: { $0.hasPrefix("step-") }) == true { return }
      Thread.sleep(forTimeInterval: 0.1)
    }
    Issue.record("no checkpoint within 30 seconds")
  }

  /// Whether a process of the program handles a signal itself. Before it becomes one, it has the handlers
  /// of `mpirun`.
  static func handles(_ signal: Int32, process: Int32) -> Bool {
    let running = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/exe")
    guard running == program.resolvingSymlinksInPath().path else { return false }
    let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("SigCgt:") }
    let mask = line.flatMap { UInt64($0.dropFirst(7).drop { $0 == "\t" }, radix: 16) } ?? 0
    return mask & 1 << UInt64(signal - 1) != 0
  }

  /// Returns as soon as `isTrue`, or after 30 seconds with an issue.
  static func wait(
    for what: String, sourceLocation: SourceLocation = #_sourceLocation, until isTrue: () -> Bool
  ) {
    for _ in 0..<15_000 {
      if isTrue() { return }
      usleep(2000)
    }
    Issue.record("no \(what) within 30 seconds", sourceLocation: sourceLocation)
  }

  /// Orphans of a killed launcher notice within a moment; the next start must not race them.
  func waitForRanksToEnd() throws {
    for _ in 0..<100 {
      guard try isRunning() else { return }
      Thread.sleep(forTimeInterval: 0.1)
    }
    Issue.record("ranks of a killed run are still there after 10 seconds")
  }

  /// Whether any process has this command's folder as its working directory.
  private func isRunning() throws -> Bool { try !processes().isEmpty }

  /// Those that have this command's folder as their working directory.
  private func processes() throws -> [Int32] {
    let here = folder.resolvingSymlinksInPath().path
    return try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }
      .filter {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0)/cwd")) == here
      }
  }

  /// What each process in the folder is doing, and where in the system it waits.
  private func standstill() throws -> String {
    try processes().map { process in
      let lines = ["comm", "wchan", "syscall", "stack"].map {
        (try? String(contentsOfFile: "/proc/\(process)/\($0)", encoding: .utf8)) ?? ""
      }
      return "\(process) " + lines.joined(separator: " ")
    }.joined(separator: "; ")
  }

  /// The ranks that run in the command's folder, whoever started them.
  func ranks() throws -> [Int32] {
    try processes().filter {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\($0)/exe"))
        == Self.program.resolvingSymlinksInPath().path
    }
  }

  /// The `mpirun` that runs in the command's folder, whoever started it.
  func launchers() throws -> [Int32] {
    try processes().filter {
      let name = try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)
      return name == "mpirun\n" || name == "orterun\n" || name == "prterun\n"
    }
  }

  /// Kills one of `ranks()`.
  func killAnyRank() throws {
    #expect(kill(try #require(try ranks().randomElement()), SIGKILL) == 0)
  }
}

/// Expects exit code 2, exactly `message` on standard error, nothing on standard output, and that no
/// file was made or changed.
func expectRefusal(
  _ command: Command, _ arguments: [String], ranks: Int? = nil, _ message: String,
  sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let before = try command.everything()
  let result = try command.run(ranks: ranks, arguments)
  #expect(result.status == 2, sourceLocation: sourceLocation)
  #expect(result.errors == message + "\n", sourceLocation: sourceLocation)
  #expect(result.output == "", sourceLocation: sourceLocation)
  #expect(try command.everything() == before, "files were changed", sourceLocation: sourceLocation)
}

/// Whether the images that the shipped configs train on are installed.
let hasFashionMNIST = FileManager.default.fileExists(
  atPath: "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz")
