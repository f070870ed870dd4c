/// Decides after each evaluation whether the run has stopped getting better. A pure value: what a
/// checkpoint keeps of it is `best` and `evaluationsSinceBest`.
///
/// A metric improves when it beats the best one so far by more than `minimumDelta`; after `patience`
/// evaluations in a row without that, the run stops. A metric that is not a number never improves.
///
/// Source: Prechelt, "Early stopping - but when?", 1998, with the conventions of Keras' `EarlyStopping`.
package struct EarlyStopping: Equatable, Sendable {
  package let patience: Int
  package let minimumDelta: Double
  package let better: BetterMetric
  /// The best metric so far; nil before the first evaluation.
  package private(set) var best: Double?
  package private(set) var evaluationsSinceBest: Int

  /// - Parameters:
  ///   - best: From a checkpoint, when a run resumes; likewise `evaluationsSinceBest`.
  package init(
    spec: EarlyStoppingSpec, better: BetterMetric, best: Double? = nil,
    evaluationsSinceBest: Int = 0
  ) {
    patience = spec.patience
    minimumDelta = spec.minimumDelta
    self.better = better
    self.best = best
    self.evaluationsSinceBest = evaluationsSinceBest
  }

  /// Takes in the metric of one evaluation and says what to do.
  package mutating func decide(on metric: Double) -> EarlyStoppingDecision {
    if improves(metric) {
      best = metric
      evaluationsSinceBest = 0
      return .keepAsBest
    }
    evaluationsSinceBest += 1
    return evaluationsSinceBest < patience ? .goOn : .stop
  }

  private func improves(_ metric: Double) -> Bool {
    guard !metric.isNaN else { return false }
    guard let best else { return true }
    return switch better {
    case .higher: metric > best + minimumDelta
    case .lower: metric < best - minimumDelta
    }
  }
}

/// Which of two metrics is the better one: the higher accuracy, the lower loss.
package enum BetterMetric: String, Sendable {
  case higher
  case lower
}

package enum EarlyStoppingDecision: Equatable, Sendable {
  /// These weights are the best so far: keep a copy and train on.
  case keepAsBest
  case goOn
  /// Patience has run out: restore the best weights and end the run.
  case stop
}
