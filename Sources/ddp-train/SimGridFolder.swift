import Diagnostics
import Foundation
import Plan
import Scaling
import Storage

/// A folder of traces: one folder inside for every cluster, and a script that replays them all.
struct SimGridFolder {
  let path: String

  init(_ path: String) {
    self.path = path
  }

  /// Writes the step on the cluster and on every smaller one that its growth passes through.
  ///
  /// - Parameter plan: The step with buckets of so many bytes.
  func write(
    shards: Int, times: MachineTimes, cluster: Cluster, network: NetworkModel,
    plan: (_ bucketBytes: Int) throws -> ExecutionPlan
  ) throws {
    let clusters = cluster.growth.filter(\.isEven)
    for cluster in clusters {
      let folder = Folder(Folder(path).path(to: SimGridFiles.folderName(cluster)))
      try folder.create()
      let traces = SimGridTraces(
        try cluster.plan(times: times, network: network, plan), cluster.layout(shards: shards),
        times: times, network: network)
      for rank in 0..<cluster.ranks {
        try put(traces.text(ofRank: rank), SimGridFiles.traceName(ofRank: rank), in: folder)
      }
      try put(SimGridFiles.traceList(cluster), "traces.txt", in: folder)
      try put(SimGridFiles.hostfile(cluster), "hostfile", in: folder)
      try put(SimGridFiles.platform(cluster, network: network), "platform.xml", in: folder)
    }
    let script = Folder(path).path(to: "replay")
    try put(SimGridFiles.script(clusters), "replay", in: Folder(path))
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
  }

  private func put(_ text: String, _ name: String, in folder: Folder) throws {
    let file = folder.path(to: name)
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    } catch {
      throw Diagnostic(
        place: file, problem: "the file cannot be written: \(error.localizedDescription)",
        expected: "a folder that can be written, with room for the traces",
        remedy: "give --simgrid another folder")
    }
  }
}
