import Foundation
import Testing

/// Runs the real binary as a user does, alone or under `mpirun`, in a folder of its own.
struct Command {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("ddp-train-\(UUID().uuidString)")
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
    var errors: String
  }

  /// - Parameter ranks: nil: without `mpirun`.
  @discardableResult
  func run(ranks: Int? = nil, _ arguments: [String]) throws -> Result {
    let process = try start(ranks: ranks, arguments)
    process.waitUntilExit()
    return Result(
      status: process.terminationStatus, output: try read("stdout"), errors: try read("stderr"))
  }

  /// Starts the program and returns at once; its output goes to files in the folder.
  func start(ranks: Int? = nil, _ arguments: [String]) throws -> Process {
    let process = Process()
    let launcher = ranks.map { ["mpirun", "--oversubscribe", "--bind-to", "none", "-q", "-n", "\($0)"] }
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = (launcher ?? []) + [Self.program.path] + arguments
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging([
      "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
      "OMPI_MCA_btl_vader_single_copy_mechanism": "none",
    ]) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = try file("stdout")
    process.standardError = try file("stderr")
    try process.run()
    return process
  }

  func read(_ path: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent(path), encoding: .utf8)
  }

  func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: folder.appendingPathComponent(path))
  }

  func write(_ text: String, to path: String) throws {
    try text.write(to: folder.appendingPathComponent(path), atomically: true, encoding: .utf8)
  }

  func remove() {
    try? FileManager.default.removeItem(at: folder)
  }

  private func file(_ name: String) throws -> FileHandle {
    let url = folder.appendingPathComponent(name)
    try Data().write(to: url)
    return try FileHandle(forWritingTo: url)
  }
}

/// Whether the images that the shipped configs train on are installed.
let hasFashionMNIST = FileManager.default.fileExists(
  atPath: "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz")
