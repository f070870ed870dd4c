import Foundation
import Plan
import Scaling
import Testing

@Suite("SimGrid traces")
struct SimGridTests {
  private let network = NetworkModel(gigabits: 10, microseconds: 30)

  private func traces(_ cluster: Cluster, layers: Int = 4, shards: Int = 16) throws -> [String] {
    let small = try SmallPlan(layers: layers)
    let traces = SimGridTraces(
      small.plan, cluster.layout(shards: shards),
      times: small.times(operation: 1e-5, sumPerByte: 1e-10, flag: 1e-6), network: network)
    return (0..<cluster.ranks).map(traces.text)
  }

  @Test("the trace of one rank is computing")
  func oneRank() throws {
    let text = try #require(try traces(Cluster(ranks: 1, hosts: 1)).first)
    #expect(text.wholeMatch(of: /0 init\n0 compute [0-9]+\n0 finalize\n/) != nil, "\(text)")
  }

  @Test(
    "every message is sent, received and waited for once, on both sides with the same length",
    arguments: [(2, 2), (8, 4), (6, 3), (16, 1), (14, 7)])
  func matched(ranks: Int, hosts: Int) throws {
    var sent: [String: Int] = [:]
    var received: [String: Int] = [:]
    var waits: [String: Int] = [:]
    for (rank, text) in try traces(Cluster(ranks: ranks, hosts: hosts)).enumerated() {
      for line in text.split(separator: "\n") {
        let words = line.split(separator: " ").map(String.init)
        #expect(words[0] == "\(rank)")
        switch words[1] {
        case "isend": sent["\(rank) \(words[2]) \(words[3]) \(words[4])", default: 0] += 1
        case "irecv": received["\(words[2]) \(rank) \(words[3]) \(words[4])", default: 0] += 1
        case "wait": waits["\(words[2]) \(words[3]) \(words[4])", default: 0] += 1
        default: #expect(["init", "compute", "finalize"].contains(words[1]), "\(line)")
        }
      }
    }
    #expect(sent == received)
    #expect(sent.values.allSatisfy { $0 == 1 })
    #expect(waits.values.allSatisfy { $0 == 2 } && waits.count == sent.count)
    #expect(sent.isEmpty == (hosts == 1))
  }

  @Test(
    "smpirun replays steps as long as the model says, within 2%",
    .enabled(if: hasSMPIRun, "SimGrid's smpirun is not installed (Debian: libsimgrid-dev)"),
    arguments: [(4, 2), (16, 4), (6, 3), (7, 7)])
  func replay(ranks: Int, hosts: Int) throws {
    let cluster = Cluster(ranks: ranks, hosts: hosts)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("simgrid-\(UUID())")
    let inner = folder.appendingPathComponent(SimGridFiles.folderName(cluster))
    try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func write(_ text: String, _ name: String) throws {
      try Data(text.utf8).write(to: inner.appendingPathComponent(name))
    }
    for (rank, text) in try traces(cluster, layers: 6, shards: ranks).enumerated() {
      try write(text, SimGridFiles.traceName(ofRank: rank))
    }
    try write(SimGridFiles.traceList(cluster), "traces.txt")
    try write(SimGridFiles.hostfile(cluster), "hostfile")
    try write(SimGridFiles.platform(cluster, network: network), "platform.xml")
    let script = folder.appendingPathComponent("replay")
    try Data(SimGridFiles.script([cluster]).utf8).write(to: script)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [script.path]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    let words = try #require(said.split(separator: "\n").last).split(separator: " ")
    let seconds = try #require(Double(words[2]))
    let small = try SmallPlan(layers: 6)
    let model = small.step(
      small.times(operation: 1e-5, sumPerByte: 1e-10, flag: 1e-6), cluster, network, shards: ranks)
    #expect((seconds / model.totalSeconds - 1).magnitude < 0.02, "\(seconds), \(model)")
    #expect(model.exposedSeconds > 0.2 * model.totalSeconds, "the network should count")
  }
}

let hasSMPIRun = FileManager.default.isExecutableFile(atPath: "/usr/bin/smpirun")
