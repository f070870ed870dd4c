import Foundation
import Testing

/// Training on several hosts, which are namespaces of this machine and talk over TCP.
@Suite(
  "Several hosts", .serialized,
  .enabled(if: HostsBed.isPossible, Comment(rawValue: HostsBed.requirement)))
struct HostsTests {
  private static let local = Command.repository.appendingPathComponent("launch/local").path

  private func withHosts(
    _ count: Int, options: [String] = [], _ body: (HostsBed, Command) throws -> Void
  ) throws {
    let bed = try HostsBed(count, options: options)
    defer { bed.remove() }
    let command = try Command.table()
    defer { command.remove() }
    try body(bed, command)
  }

  private struct Outcome: Equatable {
    var weights: Data
    var predictions: Data

    init(_ command: Command, _ folder: String) throws {
      weights = try command.bytes("\(folder)/model.safetensors")
      predictions = try command.bytes("\(folder)/predictions.csv")
    }
  }

  private func alone(_ command: Command, _ arguments: [String]) throws -> Outcome {
    let result = try command.run(arguments + ["output.folder=alone"])
    #expect(result.status == 0, "\(result.errors)")
    return try Outcome(command, "alone")
  }

  @Test("2 x 2, 4 x 1 and 3 + 1 ranks end with the bits of one rank, however they are mapped")
  func layouts() throws {
    try withHosts(4) { bed, command in
      let whole = try alone(command, ["table.yaml"])
      let layouts = ["node1:2,node2:2", "node1,node2,node3,node4", "node1:3,node2:1"]
      for (index, hosts) in layouts.enumerated() {
        for (mapping, options) in [("slot", []), ("node", ["--map-by", "node"])] {
          let folder = "layout-\(index)-\(mapping)"
          let result = try command.run(
            by: bed.launcher + ["mpirun", "-q", "-H", hosts] + options, HostsBed.environment,
            ["table.yaml", "output.folder=\(folder)"])
          #expect(result.status == 0, "\(hosts) by \(mapping): \(result.errors)")
          #expect(try Outcome(command, folder) == whole, "\(hosts) by \(mapping)")
          let count = Set(hosts.split(separator: ",")).count
          #expect(
            result.output.contains("ranks      4 on \(count) hosts: node1 "), "\(result.output)")
        }
      }
    }
  }

  @Test("a slow network changes the time, not the bits")
  func slowNetwork() throws {
    try #require(FileManager.default.fileExists(atPath: "/dev/net/tun"))
    try withHosts(2, options: ["--rate", "100mbit", "--delay", "1ms"]) { bed, command in
      let whole = try alone(command, ["table.yaml"])
      let result = try command.run(
        by: bed.launcher + ["mpirun", "-q", "-H", "node1:2,node2:2"], HostsBed.environment,
        ["table.yaml", "output.folder=slow"])
      #expect(result.status == 0, "\(result.errors)")
      #expect(try Outcome(command, "slow") == whole)
    }
  }

  /// How a host is lost.
  enum Loss: String, CaseIterable {
    case kill, cut

    func happen(to host: String, of bed: HostsBed) throws {
      switch self {
      case .kill: try bed.kill(host)
      case .cut: try bed.cut(host)
      }
    }
  }

  @Test(
    "a host lost in the middle: the job comes back on the others and ends with the same bits",
    arguments: Loss.allCases)
  func lostHost(loss: Loss) throws {
    try withHosts(3) { bed, command in
      let arguments = [
        "table.yaml", "--progress", "none", "training.epochs=150", "evaluation.every_epochs=150",
        "checkpoint.every_seconds=0.2",
      ]
      let whole = try alone(command, arguments)
      try command.write("node1 slots=1\nnode2 slots=2\nnode3 slots=1\n", to: "hosts")
      // Silence is noticed in four seconds in place of twenty.
      let soon = [
        "OMPI_MCA_oob_tcp_keepalive_time": "2", "OMPI_MCA_oob_tcp_keepalive_intvl": "1",
        "OMPI_MCA_oob_tcp_keepalive_probes": "2",
      ]
      let process = try command.start(
        by: bed.launcher + [
          Self.local, "--hosts", "hosts", "--probe-seconds", "8", "--restarts", "1",
        ], HostsBed.environment.merging(soon) { $1 }, program: nil,
        arguments + ["output.folder=parts"])
      try command.waitForCheckpoint(in: "parts")
      try loss.happen(to: "node2", of: bed)
      let result = try command.result(of: process)
      #expect(result.status == 0, "\(result.errors)")
      // mpirun ends with one of two codes; which depends on what notices first.
      let remarks = result.errors.replacing(/205|255/, with: "X").split(separator: "\n")
        .filter { $0.hasPrefix("launch/local: ") }
      #expect(
        remarks == [
          "launch/local: 4 ranks on node1 node2 node3",
          "launch/local: mpirun lost a host, or could not start ranks on it (exit code X)",
          "launch/local: restart 1 of 1 after exit code X",
          "launch/local: host node2 is left out: no answer within 8 seconds",
          "launch/local: 2 ranks on node1 node3",
        ], "\(result.errors)")
      #expect(result.output.contains("resuming at step "))
      #expect(try Outcome(command, "parts") == whole)
    }
  }

  @Test("hosts that do not answer are left out; without any the run does not start")
  func absentHosts() throws {
    try withHosts(2) { bed, command in
      try bed.kill("node2")
      func run(_ hosts: String) throws -> Command.Result {
        try command.write(hosts, to: "hosts")
        return try command.run(
          by: bed.launcher + [Self.local, "--hosts", "hosts", "--probe-seconds", "2"],
          HostsBed.environment, program: nil, ["table.yaml", "output.folder=run"])
      }
      let some = try run("# all\nnode2 slots=4\n\nnode1 slots=3 # this one\n")
      #expect(some.status == 0)
      // The system may know sooner than in two seconds that there is no way to the host.
      let leftOut = /launch\/local: host node2 is left out: [^\n]+\n/
      #expect(try leftOut.prefixMatch(in: some.errors) != nil, "\(some.errors)")
      #expect(some.errors.hasSuffix("\nlaunch/local: 3 ranks on node1\n"), "\(some.errors)")
      let none = try run("node2\n")
      #expect(none.status == 1 && none.output == "")
      #expect(try leftOut.prefixMatch(in: none.errors) != nil, "\(none.errors)")
      #expect(
        none.errors.contains(
          """

          launch/local: none of the hosts in hosts can be used
            to fix:   see the reasons above; 
          """), "\(none.errors)")
      #expect(try run("# none\n").status == 2)
    }
  }
}
