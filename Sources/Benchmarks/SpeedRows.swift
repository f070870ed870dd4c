import Metrics

/// A layer's products in its three directions, in operations per second.
package struct KernelRow: BenchmarkRow, Equatable {
  package let name: String
  package let forward: Double
  package let byData: Double
  package let byWeights: Double
  /// Each of them over the multiply-add peak.
  package let forwardPeakFraction: Double
  package let byDataPeakFraction: Double
  package let byWeightsPeakFraction: Double

  package init(
    name: String, forward: Double, byData: Double, byWeights: Double, operationsPerSecond: Double
  ) {
    self.name = name
    self.forward = forward
    self.byData = byData
    self.byWeights = byWeights
    forwardPeakFraction = forward / operationsPerSecond
    byDataPeakFraction = byData / operationsPerSecond
    byWeightsPeakFraction = byWeights / operationsPerSecond
  }

  package static let headings = ["GFLOP/s", "forward", "", "by data", "", "by weights", ""]

  package var cells: [String] {
    let speeds = [
      (forward, forwardPeakFraction), (byData, byDataPeakFraction),
      (byWeights, byWeightsPeakFraction),
    ]
    return [name]
      + speeds.flatMap {
        [fixedPoint($0 * 1e-9, digits: 1), percentText($1, digits: 0)]
      }
  }
}

/// A sum over all ranks beside MPI's own; times in seconds.
package struct SumRow: BenchmarkRow, Equatable {
  package let byteCount: Int
  package let seconds: Double
  /// Of `MPI_Allreduce`.
  package let allreduceSeconds: Double
  /// Of a copy of as many bytes, while all ranks copy.
  package let copySeconds: Double

  package init(byteCount: Int, seconds: Double, allreduceSeconds: Double, copySeconds: Double) {
    self.byteCount = byteCount
    self.seconds = seconds
    self.allreduceSeconds = allreduceSeconds
    self.copySeconds = copySeconds
  }

  package static let headings = [
    "size", "ours us", "Allreduce us", "ratio", "ours GB/s", "copy GB/s",
  ]

  package var cells: [String] {
    [
      byteCount >= 1 << 20 ? "\(byteCount >> 20) MiB" : "\(byteCount >> 10) KiB",
      fixedPoint(seconds * 1e6, digits: 1), fixedPoint(allreduceSeconds * 1e6, digits: 1),
      fixedPoint(allreduceSeconds / seconds, digits: 1),
      fixedPoint(Double(byteCount) / seconds * 1e-9, digits: 1),
      fixedPoint(Double(byteCount) / copySeconds * 1e-9, digits: 1),
    ]
  }
}

/// A part of saving or loading beside what the disk, the memory or the hash allows.
package struct CheckpointRow: BenchmarkRow, Equatable {
  package let part: String
  package let byteCount: Int
  package let seconds: Double
  /// What the same bytes take at least, and what sets that limit.
  package let limitSeconds: Double
  package let limit: String
  package let bytesPerSecond: Double
  package let limitFraction: Double

  package init(
    part: String, byteCount: Int, seconds: Double, limit: String, limitSeconds: Double
  ) {
    self.part = part
    self.byteCount = byteCount
    self.seconds = seconds
    self.limit = limit
    self.limitSeconds = limitSeconds
    bytesPerSecond = Double(byteCount) / max(seconds, 1e-9)
    limitFraction = limitSeconds / max(seconds, 1e-9)
  }

  package static let headings = ["part", "bytes", "ms", "MB/s", "of limit", "limit"]

  package var cells: [String] {
    [
      part, byteCountText(byteCount), fixedPoint(seconds * 1e3, digits: 2),
      fixedPoint(bytesPerSecond * 1e-6, digits: 0), percentText(limitFraction, digits: 0), limit,
    ]
  }
}

/// From the launch of a job to the end of its first step.
package struct StartRow: BenchmarkRow, Equatable {
  package let config: String
  /// What the program was started with; empty: nothing.
  package let launcher: String
  /// The median of the rounds, the fastest and the slowest.
  package let seconds: Double
  package let fastestSeconds: Double
  package let slowestSeconds: Double

  package init(config: String, launcher: String, rounds: [Double]) {
    self.config = config
    self.launcher = launcher
    seconds = rounds.median
    fastestSeconds = rounds.min() ?? 0
    slowestSeconds = rounds.max() ?? 0
  }

  package static let headings = ["config", "launcher", "seconds", "fastest", "slowest"]

  package var cells: [String] {
    [config, launcher]
      + [seconds, fastestSeconds, slowestSeconds].map { fixedPoint($0, digits: 3) }
  }
}
