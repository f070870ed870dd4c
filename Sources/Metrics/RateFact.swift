import Foundation

/// The learning rate of a run before its schedule, for the header.
package struct RateFact: Equatable, Sendable {
  /// How the rate was scaled for the batch.
  package struct Scaling: Equatable, Sendable {
    /// As the configuration names it.
    package var rule: String
    package var factor: Double
    package var batch: Int
    package var baseBatch: Int

    package init(rule: String, factor: Double, batch: Int, baseBatch: Int) {
      self.rule = rule
      self.factor = factor
      self.batch = batch
      self.baseBatch = baseBatch
    }
  }

  /// As the configuration gives it.
  package var given: Double
  /// nil: the rate is used as it was given.
  package var scaling: Scaling?
  package var warmupSteps: Int

  package init(given: Double, scaling: Scaling? = nil, warmupSteps: Int = 0) {
    self.given = given
    self.scaling = scaling
    self.warmupSteps = warmupSteps
  }

  /// `0.002`, `0.048 = 0.006 x 8 (linear, batch 1,024 for 128), rising from 0.006 in the first 100 steps`.
  package var text: String {
    var text = rateText(given * (scaling?.factor ?? 1))
    if let scaling {
      let batches =
        "batch \(groupedDigits(scaling.batch)) for \(groupedDigits(scaling.baseBatch))"
      text += " = \(rateText(given)) x \(rateText(scaling.factor)) (\(scaling.rule), \(batches))"
    }
    guard warmupSteps > 0 else { return text }
    let start = (scaling?.factor ?? 1) > 1 ? rateText(given) : "0"
    return "\(text), rising from \(start) in the first \(groupedDigits(warmupSteps)) steps"
  }

  /// Up to six significant digits.
  private func rateText(_ number: Double) -> String { String(format: "%.6g", number) }
}
