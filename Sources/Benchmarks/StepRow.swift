import Metrics

/// Whole training steps of a config, reading included.
package struct StepRow: BenchmarkRow, Equatable {
  package let config: String
  package let ranks: Int
  /// Over all ranks.
  package let batch: Int
  /// The median of the rounds, the slowest and the fastest.
  package let samplesPerSecond: Double
  package let slowestSamplesPerSecond: Double
  package let fastestSamplesPerSecond: Double
  package let stepSeconds: Double
  /// Of the multiply-add peak of as many cores as there are ranks.
  package let peakFraction: Double
  /// The most memory that any rank has had so far.
  package let peakByteCount: Int

  /// - Parameters:
  ///   - rates: Samples per second over all ranks, by round.
  ///   - operationsPerSample: Forward and backward.
  package init(
    config: String, ranks: Int, batch: Int, rates: [Double], operationsPerSample: Double,
    peakByteCount: Int, limits: MachineLimits
  ) {
    self.config = config
    self.ranks = ranks
    self.batch = batch
    self.peakByteCount = peakByteCount
    samplesPerSecond = rates.median
    slowestSamplesPerSecond = rates.min() ?? 0
    fastestSamplesPerSecond = rates.max() ?? 0
    stepSeconds = Double(batch) / max(rates.median, 1e-9)
    peakFraction =
      rates.median * operationsPerSample / (limits.operationsPerSecond * Double(ranks))
  }

  package static let headings = [
    "config", "ranks", "batch", "samples/s", "slowest", "fastest", "step ms", "of peak", "memory",
  ]

  package var cells: [String] {
    [
      config, "\(ranks)", "\(batch)", fixedPoint(samplesPerSecond, digits: 0),
      fixedPoint(slowestSamplesPerSecond, digits: 0),
      fixedPoint(fastestSamplesPerSecond, digits: 0), fixedPoint(stepSeconds * 1e3, digits: 3),
      percentText(peakFraction, digits: 1), byteCountText(peakByteCount),
    ]
  }
}

extension Collection<Double> {
  /// The middle value, or the mean of the two in the middle; 0 of nothing.
  package var median: Double {
    let sorted = sorted()
    if sorted.isEmpty { return 0 }
    return (sorted[sorted.count / 2] + sorted[(sorted.count - 1) / 2]) / 2
  }
}
