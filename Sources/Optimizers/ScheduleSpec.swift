/// The learning rate as a function of the step: base rate times a factor, times the warm-up's factor.
///
/// Steps `s` count from 0. `total` is the number of steps of the whole run (epochs x steps per epoch),
/// whatever `training.max_steps` cuts off.
package struct ScheduleSpec: Equatable, Sendable {
  package var shape: ScheduleShape
  /// Steps in which the rate rises linearly to the shape's own, from 0 or, where `BatchScaling` raises the rate,
  /// from the unscaled one (one-cycle brings its own rise and rarely needs another).
  package var warmup = Warmup.none

  package init(_ shape: ScheduleShape) {
    self.shape = shape
  }
}

/// A factor that rises to 1 while `s < steps`; see `LearningRateSchedule`.
package enum Warmup: Equatable, Sendable {
  case none
  case steps(Int)
  /// Of the whole run, rounded to whole steps.
  case fraction(Double)
}

/// The factor at step `s`.
///
/// Shapes that follow the epochs (step, exponential, inverse time) count them from the start of the
/// run, warm-up or not. Shapes that span the run (polynomial, cosine, one-cycle) stand still while the
/// rate warms up and stretch over the steps that remain: `p = (s - warmup) / (total - warmup)`.
package enum ScheduleShape: Equatable, Sendable {
  case constant
  /// `factor ^ floor(epoch / everyEpochs)`: a staircase.
  case step(everyEpochs: Double, factor: Double)
  /// `factor ^ epoch`, with fractions of an epoch.
  case exponential(factor: Double)
  /// `1 / (1 + rate * epoch)`, epoch a whole number as in the courses.
  case inverseTime(rate: Double)
  /// `final + (1 - final) * (1 - p) ^ power`
  case polynomial(power: Double, final: Double)
  /// `final + (1 - final) / 2 * (1 + cos(pi p))`
  case cosine(final: Double)
  /// Cosine rise from `start` to 1 within `warmupFraction` of the run, cosine fall to `final`.
  /// Source: Smith and Topin, "Super-convergence", 2018; PyTorch's `OneCycleLR`.
  case oneCycle(warmupFraction: Double, start: Double, final: Double)
}
