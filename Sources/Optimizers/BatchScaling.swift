/// How the learning rate follows the global batch when it differs from the one the rate was found with.
package struct BatchScaling: Equatable, Sendable {
  package enum Rule: Equatable, Sendable, CaseIterable {
    case none
    /// `batch / base`: k times the samples, k times the step. Source: Goyal et al., "Accurate, large
    /// minibatch SGD: training ImageNet in 1 hour", 2017, section 2.1.
    case linear
    /// `sqrt(batch / base)`: keeps the variance of a step. Source: Krizhevsky, "One weird trick for
    /// parallelizing convolutional neural networks", 2014, section 5; the LAMB paper uses it too.
    case squareRoot
  }

  package var rule: Rule
  /// The global batch that the unscaled rate belongs to; whatever it is, `none` does not ask for it.
  package var baseBatch: Int?

  package init(rule: Rule = .none, baseBatch: Int? = nil) {
    self.rule = rule
    self.baseBatch = baseBatch
  }

  /// What the learning rate is multiplied by for a global batch of `batch` samples.
  package func factor(batch: Int) -> Double {
    guard let baseBatch, rule != .none else { return 1 }
    let ratio = Double(batch) / Double(baseBatch)
    return rule == .linear ? ratio : ratio.squareRoot()
  }
}

extension LearningRateSchedule {
  /// The schedule of a run: the optimizer's rate, scaled for the batch.
  ///
  /// Where scaling raises the rate, warm-up starts from the unscaled rate (Goyal et al., 2017, section 2.2:
  /// gradual warm-up), else from zero.
  package init(
    _ schedule: ScheduleSpec, optimizer: OptimizerSpec, batch: Int, stepsPerEpoch: Int,
    totalSteps: Int
  ) {
    let factor = optimizer.scale.factor(batch: batch)
    self.init(
      spec: schedule, base: optimizer.learningRate * factor,
      warmupStart: factor > 1 ? 1 / factor : 0, stepsPerEpoch: stepsPerEpoch,
      totalSteps: totalSteps)
  }
}
