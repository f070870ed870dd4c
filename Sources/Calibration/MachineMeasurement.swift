import Datasets
import Kernels
import Scaling
import Storage
import Training

/// Measures, in a few seconds, what the parts of a run's step cost on this machine.
package enum MachineMeasurement {
  /// What is assumed where a single core leaves nothing to measure.
  static let assumedFlagSeconds = 1e-6

  /// - Parameters:
  ///   - data: Loaded samples; nil: loading is not counted.
  ///   - cores: How many ranks a full host of this kind has.
  ///   - seconds: For each of the two measurements of a rank's work.
  package static func measure(
    _ spec: RunSpec, plans: ModelPlans, data: LoadedData?, cores: Int, seconds: Double = 1.5
  ) -> MachineTimes {
    var alone = ranks(1, spec, plans, data, seconds: seconds)
    var crowded = cores > 1 ? ranks(cores, spec, plans, data, seconds: seconds) : alone
    let sum = cores > 1 ? SharedSumMeasurement(elements: plans.training.leaf.count) : nil
    let leafBytes = Double(max(plans.training.leaf.count, 1) * MemoryLayout<Float>.stride)
    alone.sumSecondsPerByte = sum?.secondsPerByte ?? alone.mergeSeconds / (3 * leafBytes)
    crowded.sumSecondsPerByte = alone.sumSecondsPerByte
    return MachineTimes(
      cores: cores, alone: alone, crowded: crowded,
      flagSeconds: sum?.flagSeconds ?? assumedFlagSeconds)
  }

  /// What the parts of a step cost one rank that has the machine for itself.
  package static func oneRank(
    _ spec: RunSpec, plans: ModelPlans, data: LoadedData?, seconds: Double
  ) -> RankTimes {
    ranks(1, spec, plans, data, seconds: seconds)
  }

  /// The mean over ranks that work at once, each on a thread of its own.
  private static func ranks(
    _ count: Int, _ spec: RunSpec, _ plans: ModelPlans, _ data: LoadedData?, seconds: Double
  ) -> RankTimes {
    let deadline = ContinuousClock.now + .seconds(seconds)
    let threads = (0..<count).map { _ in
      BackgroundThread(niceness: 0) {
        RankMeasurement(spec, plans: plans, data: data).run(until: deadline)
      }
    }
    return RankTimes(meanOf: threads.map { $0.wait() })
  }
}
