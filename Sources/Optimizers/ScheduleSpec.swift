/// The learning rate as a function of the step: base rate times a factor.
///
/// Steps count from 0. `total` is the number of steps of the whole run (epochs x steps per epoch),
/// whatever `training.max_steps` cuts off.
package struct ScheduleSpec: Equatable, Sendable {
  package var shape: ScheduleShape
  /// Steps in which the rate rises linearly from 0 to the base rate (one-cycle has its own rise).
  package var warmup = Warmup.none

  package init(_ shape: ScheduleShape) {
    self.shape = shape
  }
}

package enum Warmup: Equatable, Sendable {
  case none
  case steps(Int)
  /// Of the whole run.
  case fraction(Double)
}

package enum ScheduleShape: Equatable, Sendable {
  case constant
  /// `factor ^ (epochs done / everyEpochs)`, whole numbers: a staircase.
  case step(everyEpochs: Double, factor: Double)
  /// `factor ^ epoch`, with fractions of an epoch.
  case exponential(factor: Double)
  /// `1 / (1 + rate * epoch)`, epoch a whole number as in the courses.
  case inverseTime(rate: Double)
  /// `(1 - s / total) ^ power`, ends at `final`.
  case polynomial(power: Double, final: Double)
  /// `final + (1 - final) / 2 * (1 + cos(pi s / total))`
  case cosine(final: Double)
  /// Cosine rise from `start` to 1 within `warmupFraction` of the run, cosine fall to `final`.
  /// Source: Smith and Topin, "Super-convergence", 2018; PyTorch's `OneCycleLR`.
  case oneCycle(warmupFraction: Double, start: Double, final: Double)
}
