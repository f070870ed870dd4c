/// How many steps a run has and which samples each of them takes.
///
/// The last batch of an epoch may be smaller; it is trained on like the others.
package struct RunLength: Equatable, Sendable {
  package let samples: Int
  package let batch: Int
  package let epochs: Int
  private let maxSteps: Int?

  package init(samples: Int, batch: Int, epochs: Int, maxSteps: Int? = nil) {
    self.samples = samples
    self.batch = batch
    self.epochs = epochs
    self.maxSteps = maxSteps
  }

  package init(_ spec: RunSpec, samples: Int) {
    self.init(
      samples: samples, batch: spec.training.batch, epochs: spec.training.epochs,
      maxSteps: spec.training.maxSteps)
  }

  package var stepsPerEpoch: Int { (samples + batch - 1) / batch }
  /// Steps of the whole run; schedules are stretched over these.
  package var totalSteps: Int { stepsPerEpoch * epochs }
  /// Where this start of the run ends.
  package var lastStep: Int { min(totalSteps, maxSteps ?? totalSteps) }

  package func epoch(ofStep step: Int) -> Int { step / stepsPerEpoch }

  /// Positions of the epoch's order that a step takes.
  package func positions(ofStep step: Int) -> Range<Int> {
    let start = step % stepsPerEpoch * batch
    return start..<min(start + batch, samples)
  }

  /// Whether `step` steps complete an epoch.
  package func endsEpoch(after step: Int) -> Bool { step % stepsPerEpoch == 0 }
}
