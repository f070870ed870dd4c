/// How many steps a run has and which samples each of them takes.
///
/// The last batch of an epoch may be smaller; it is trained on like the others.
package struct RunLength: Equatable, Sendable {
  package let samples: Int
  package let batch: Int
  package let epochs: Int
  private let maxSteps: Int?
  private let localSteps: Int

  package init(
    samples: Int, batch: Int, epochs: Int, maxSteps: Int? = nil, localSteps: Int = 1
  ) {
    self.samples = samples
    self.batch = batch
    self.epochs = epochs
    self.maxSteps = maxSteps
    self.localSteps = localSteps
  }

  package init(_ spec: RunSpec, samples: Int) {
    self.init(
      samples: samples, batch: spec.training.batch, epochs: spec.training.epochs,
      maxSteps: spec.training.maxSteps, localSteps: spec.training.localSteps)
  }

  package var stepsPerEpoch: Int { (samples + batch - 1) / batch }
  /// Steps of the whole run; schedules are stretched over these.
  package var totalSteps: Int { stepsPerEpoch * epochs }
  /// Where this start of the run ends: after `max_steps`, as soon as the ranks agree.
  package var lastStep: Int {
    let end = min(totalSteps, maxSteps ?? totalSteps)
    let epochStart = end / stepsPerEpoch * stepsPerEpoch
    let periods = (end - epochStart + localSteps - 1) / localSteps
    return epochStart + min(periods * localSteps, stepsPerEpoch)
  }

  package func epoch(ofStep step: Int) -> Int { step / stepsPerEpoch }

  /// Positions of the epoch's order that a step takes.
  package func positions(ofStep step: Int) -> Range<Int> {
    let start = step % stepsPerEpoch * batch
    return start..<min(start + batch, samples)
  }

  /// Whether after `step` steps all ranks have the same replica: after every `local_steps` of an epoch and
  /// at its end.
  package func agrees(after step: Int) -> Bool {
    endsEpoch(after: step) || step % stepsPerEpoch % localSteps == 0
  }

  /// Whether `step` steps complete an epoch.
  package func endsEpoch(after step: Int) -> Bool { step % stepsPerEpoch == 0 }
}
