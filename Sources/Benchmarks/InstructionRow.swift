import Metrics

/// One instruction of a plan beside the least time that it can take.
package struct InstructionRow: BenchmarkRow, Equatable {
  package let name: String
  package let seconds: Double
  package let operations: Double
  package let byteCount: Int
  package let floorSeconds: Double
  /// Of the multiply-add peak; above 1 for Winograd's convolutions, which need fewer operations than they count.
  package let peakFraction: Double
  /// Of the speed at which as many bytes are copied; above 1 for what is read more than written.
  package let bandwidthFraction: Double

  package init(_ work: InstructionWork, seconds: Double, limits: MachineLimits) {
    name = work.name
    self.seconds = seconds
    operations = work.operations
    byteCount = work.byteCount
    floorSeconds = limits.floorSeconds(work)
    let time = max(seconds, 1e-9)
    peakFraction = work.operations / time / limits.operationsPerSecond
    bandwidthFraction =
      Double(work.byteCount) / time / limits.bytesPerSecond(forBytes: work.byteCount)
  }

  /// What all of `rows` take together, each at its own limit.
  package init(totalOf rows: [InstructionRow]) {
    name = "total"
    seconds = rows.reduce(0) { $0 + $1.seconds }
    operations = rows.reduce(0) { $0 + $1.operations }
    byteCount = rows.reduce(0) { $0 + $1.byteCount }
    floorSeconds = rows.reduce(0) { $0 + $1.floorSeconds }
    let time = max(seconds, 1e-9)
    peakFraction = rows.reduce(0) { $0 + $1.peakFraction * $1.seconds } / time
    bandwidthFraction = rows.reduce(0) { $0 + $1.bandwidthFraction * $1.seconds } / time
  }

  package static let headings = [
    "instruction", "us", "MFLOP", "kB", "of peak", "of bandwidth", "floor us", "floor / time",
  ]

  package var cells: [String] {
    [
      name, fixedPoint(seconds * 1e6, digits: 1),
      operations > 0 ? fixedPoint(operations * 1e-6, digits: 2) : "",
      fixedPoint(Double(byteCount) * 1e-3, digits: 1),
      operations > 0 ? percentText(peakFraction, digits: 0) : "",
      percentText(bandwidthFraction, digits: 0), fixedPoint(floorSeconds * 1e6, digits: 1),
      percentText(seconds > 0 ? floorSeconds / seconds : 0, digits: 0),
    ]
  }
}
