import Foundation
import Testing

/// A Slurm of this machine alone, for one test; the script `slurm` beside this file makes it.
///
/// The script ends with its standard input, so nothing is left when the test process is killed.
struct SlurmBed {
  private let folder: URL
  private let script = Process()
  private let lifeline = Pipe()

  /// What the tests need, or why they are skipped.
  static let requirement = "needs root, slurm-wlm and munge: run launch/setup --tests as root"

  static let isPossible: Bool = {
    let programs = ["sbin/munged", "sbin/slurmctld", "sbin/slurmd", "bin/sbatch", "bin/scontrol"]
    return getuid() == 0
      && programs.allSatisfy { FileManager.default.isExecutableFile(atPath: "/usr/\($0)") }
  }()

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("ddp-train-slurm-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let answer = Pipe()
    script.executableURL = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("slurm")
    script.arguments = [folder.path]
    script.environment = Self.environment([:])
    script.standardInput = lifeline
    script.standardOutput = answer
    try script.runUnblocked()
    let line = String(decoding: answer.fileHandleForReading.availableData, as: UTF8.self)
    try #require(line == "ready\n", "no Slurm came up: \(Self.logs(in: folder))")
  }

  /// How many starts of a job have ended, as its node has told the controller.
  func endedScripts(ofJob number: String) -> Int {
    let log = try? String(contentsOf: folder.appendingPathComponent("slurmd.log"), encoding: .utf8)
    return (log ?? "").components(separatedBy: "[\(number).batch] done with job").count - 1
  }

  /// Ends jobs and daemons.
  func remove() {
    try? lifeline.fileHandleForWriting.close()
    script.waitUntilExit()
    try? FileManager.default.removeItem(at: folder)
  }

  private static func logs(in folder: URL) -> String {
    ["slurmctld.log", "slurmd.log", "munge.log"].map { name in
      let text = try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
      return "\(name): \((text ?? "").suffix(1000))"
    }.joined(separator: "\n")
  }

  /// This process's environment without what Slurm may have set in it.
  private static func environment(_ more: [String: String]) -> [String: String] {
    ProcessInfo.processInfo.environment
      .filter { !$0.key.hasPrefix("SLURM") && !$0.key.hasPrefix("SBATCH") }
      .merging(more) { $1 }
  }

  /// Runs a command of Slurm to its end; returns what it says.
  @discardableResult
  func run(_ arguments: [String], in place: URL? = nil, _ variables: [String: String] = [:]) throws
    -> String
  {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    process.currentDirectoryURL = place ?? folder
    process.environment = Self.environment(
      variables.merging(["SLURM_CONF": folder.appendingPathComponent("slurm.conf").path]) { $1 })
    process.standardOutput = output
    process.standardError = output
    try process.runUnblocked()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(arguments): \(text)")
    return text.trimmingCharacters(in: .whitespacesAndNewlines)
  }
}

/// A job in the queue of a bed.
struct SlurmJob {
  let bed: SlurmBed
  let number: String
  private let log: URL

  /// Submits `launch/slurm.sbatch` with the test's program in the command's folder.
  init(_ bed: SlurmBed, _ command: Command, options: [String] = [], _ arguments: [String]) throws {
    self.bed = bed
    // A path with a space in it.
    let launch = command.folder.appendingPathComponent("launch scripts")
    try? FileManager.default.createSymbolicLink(
      at: launch, withDestinationURL: Command.repository.appendingPathComponent("launch"))
    number = try bed.run(
      ["sbatch", "--parsable"] + options + [launch.path + "/slurm.sbatch"] + arguments,
      in: command.folder,
      [
        "DDP_TRAIN": Command.program.path, "NO_COLOR": "1",
        "XDG_CACHE_HOME": command.path("cache"),
      ])
    log = command.folder.appendingPathComponent("ddp-train-\(number).out")
  }

  /// Everything its starts said; each adds to the end.
  var output: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

  /// The script's own lines in the output.
  var remarks: [String] {
    output.split(separator: "\n").filter { $0.hasPrefix("launch/slurm.sbatch: ") }
      .map { String($0.dropFirst("launch/slurm.sbatch: ".count)) }
  }

  /// A field of `scontrol show job`, such as `JobState`.
  func field(_ name: String) throws -> String {
    let text = try bed.run(["scontrol", "--oneliner", "show", "job", number])
    let field = text.split(separator: " ").first { $0.hasPrefix(name + "=") }
    return String(try #require(field, "\(text)").dropFirst(name.count + 1))
  }

  /// Waits until the field has one of the values.
  func wait(
    _ name: String, _ values: [String], seconds: Int = 90,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for _ in 0..<(5 * seconds) {
      if values.contains(try field(name)) { return }
      Thread.sleep(forTimeInterval: 0.2)
    }
    Issue.record(
      "\(name) is \(try field(name)) after \(seconds) seconds, not \(values): \(output.suffix(2000))",
      sourceLocation: sourceLocation)
  }

  /// Waits until the job has said `text`.
  func waitForOutput(_ text: String) throws {
    for _ in 0..<300 {
      if output.contains(text) { return }
      Thread.sleep(forTimeInterval: 0.1)
    }
    Issue.record("no '\(text)' within 30 seconds: \(output.suffix(2000))")
  }

  /// Makes a job that waits in the queue start, without the delay that Slurm gives a requeued job.
  func startNow() throws {
    try waitForScriptToEnd()
    // Slurm may set the delay only now. A node too busy to answer in time leaves the job held, or stays down
    // until an administrator brings it back.
    for _ in 0..<90 {
      guard try field("JobState") == "PENDING" else { return }
      _ = try? bed.run(["scontrol", "update", "JobId=\(number)", "TimeLimit=60", "StartTime=now"])
      let reason = try field("Reason")
      if reason.contains("held") { _ = try? bed.run(["scontrol", "release", "\(number)"]) }
      if reason.contains("DOWN") {
        _ = try? bed.run(["scontrol", "update", "NodeName=ALL", "State=RESUME"])
      }
      Thread.sleep(forTimeInterval: 1)
    }
    Issue.record("waits for \(try field("Reason"))")
  }

  /// Waits until Slurm has heard of the end of the script: later it would take it for the end of the next start.
  private func waitForScriptToEnd() throws {
    let starts = Int(try field("Restarts")) ?? 0
    for _ in 0..<150 where bed.endedScripts(ofJob: number) < starts {
      Thread.sleep(forTimeInterval: 0.2)
    }
    // Nodes tell starts of a job apart by the second.
    Thread.sleep(forTimeInterval: 2)
  }

  /// Waits for the end and returns the state Slurm gives the job, such as `COMPLETED`.
  func end() throws -> String {
    try wait("JobState", ["COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"])
    return try field("JobState")
  }
}
