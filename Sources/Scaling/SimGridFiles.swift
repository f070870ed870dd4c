import Foundation

/// The files beside the traces that `smpirun -replay` needs.
package enum SimGridFiles {
  /// A cluster whose hosts hang on one switch that never fills up.
  ///
  /// The latency is that of two links: one up to the switch, one down.
  package static func platform(_ cluster: Cluster, network: NetworkModel) -> String {
    """
    <?xml version='1.0'?>
    <!DOCTYPE platform SYSTEM "https://simgrid.org/simgrid.dtd">
    <platform version="4.1">
      <cluster id="cluster" prefix="host-" suffix="" radical="0-\(cluster.hosts - 1)"
               speed="1Gf" core="\(cluster.localRanks)" sharing_policy="SPLITDUPLEX"
               bw="\(plain(network.bytesPerSecond))Bps" lat="\(plain(network.latencySeconds / 2))s"
               loopback_bw="10GBps" loopback_lat="0"/>
    </platform>

    """
  }

  /// The host of every rank, by rank.
  package static func hostfile(_ cluster: Cluster) -> String {
    (0..<cluster.ranks).map { "host-\($0 / cluster.localRanks)\n" }.joined()
  }

  package static func traceName(ofRank rank: Int) -> String { "rank-\(rank).txt" }

  /// The list of traces, by rank.
  package static func traceList(_ cluster: Cluster) -> String {
    (0..<cluster.ranks).map { "\(traceName(ofRank: $0))\n" }.joined()
  }

  package static func folderName(_ cluster: Cluster) -> String { "ranks-\(cluster.ranks)" }

  /// A script that replays the step on every cluster and prints its length.
  ///
  /// SimGrid's corrections for TCP and for the costs of an MPI library are switched off, so that a message
  /// costs latency + bytes / bandwidth, links being shared fairly. Short messages do not wait for their receiver.
  package static func script(_ clusters: [Cluster]) -> String {
    """
    #!/bin/sh
    # Replays one training step per folder with SimGrid's smpirun (Debian: libsimgrid-dev) and prints its seconds.
    set -eu
    cd "$(dirname "$0")"
    if ! command -v smpirun >/dev/null; then
      echo "replay: smpirun is not on the search path" >&2
      echo "  expected: SimGrid 3.32 or later" >&2
      echo "  to fix:   apt-get install libsimgrid-dev" >&2
      exit 2
    fi
    echo "ranks hosts step_seconds"
    replay() {
      seconds=$(cd "ranks-$1" && smpirun -np "$1" -platform platform.xml -hostfile hostfile \\
        -replay traces.txt --cfg=network/model:CM02 --cfg=network/TCP-gamma:0 \\
        --cfg=network/crosstraffic:0 --cfg=smpi/os:0:0:0 \\
        --cfg=smpi/send-is-detached-thresh:\(NetworkModel.standard.eagerBytes) \\
        --cfg=smpi/async-small-thresh:\(NetworkModel.standard.eagerBytes) 2>&1 |
        tee replay.log | sed -n 's/.*Simulation time \\([0-9.e+-]*\\).*/\\1/p')
      if [ -z "$seconds" ]; then
        echo "replay: smpirun failed in ranks-$1; its last words:" >&2
        tail -n 5 "ranks-$1/replay.log" >&2
        exit 1
      fi
      echo "$1 $2 $seconds"
    }
    \(clusters.map { "replay \($0.ranks) \($0.hosts)" }.joined(separator: "\n"))

    """
  }

  private static func plain(_ number: Double) -> String { String(format: "%.9g", number) }
}
