import Foundation
import Testing

/// Several hosts on this machine for one test; the script `hosts` beside this file makes them.
///
/// The script ends with its standard input, so nothing is left when the test process is killed.
struct HostsBed {
  private let folder: URL
  private let script = Process()
  private let lifeline = Pipe()

  /// What the tests need, or why they are skipped.
  static let requirement =
    "needs root, namespaces, iproute2 and perl: run launch/setup --tests as root"

  static let isPossible: Bool = {
    guard getuid() == 0, let bed = try? HostsBed(1) else { return false }
    bed.remove()
    return true
  }()

  /// - Parameter options: `--rate`, `--delay`.
  init(_ count: Int, options: [String] = []) throws {
    // Short: Open MPI keeps files of its own below it, and paths of sockets have a limit.
    folder = URL(fileURLWithPath: "/tmp/ddp-hosts-\(UUID().uuidString.prefix(8))")
    let answer = Pipe()
    script.executableURL = Self.verbs
    script.arguments = ["--bed", folder.path, "hold", "\(count)"] + options
    script.standardInput = lifeline
    script.standardOutput = answer
    script.standardError = FileHandle.nullDevice
    try script.runUnblocked()
    let line = String(decoding: answer.fileHandleForReading.availableData, as: UTF8.self)
    guard line == "ready\n" else { throw Absent() }
  }

  private struct Absent: Error {}

  private static let verbs = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("hosts")

  /// Ends hosts and all their processes.
  func remove() {
    try? lifeline.fileHandleForWriting.close()
    script.waitUntilExit()
  }

  /// Ends all processes of a host.
  func kill(_ host: String) throws { try change("kill", host) }

  /// Pulls its cable.
  func cut(_ host: String) throws { try change("cut", host) }

  private func change(_ verb: String, _ host: String) throws {
    let process = Process()
    process.executableURL = Self.verbs
    process.arguments = ["--bed", folder.path, verb, host]
    try process.runUnblocked()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
  }

  /// The launcher that runs a command on `node1`.
  var launcher: [String] { [Self.verbs.path, "--bed", folder.path, "run"] }

  /// All hosts share the processors of this machine.
  static let environment = [
    "DDP_TRAIN": Command.program.path, "OMPI_MCA_hwloc_base_binding_policy": "none",
    "OMPI_MCA_mpi_yield_when_idle": "1",
  ]
}
