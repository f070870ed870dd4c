#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The learning rate of every step of a run: `base * warm-up factor * shape factor`.
///
/// A pure function of the step, so a resumed run continues it without replaying.
package struct LearningRateSchedule: Equatable, Sendable {
  package let base: Double
  package let shape: ScheduleShape
  package let warmupSteps: Int
  /// The part of the rate from which warm-up rises.
  package let warmupStart: Double
  package let stepsPerEpoch: Int
  package let totalSteps: Int

  /// - Parameters:
  ///   - warmupStart: From 0, below 1.
  ///   - totalSteps: Of the whole run, whatever `training.max_steps` cuts off.
  package init(
    spec: ScheduleSpec, base: Double, warmupStart: Double = 0, stepsPerEpoch: Int, totalSteps: Int
  ) {
    precondition(
      stepsPerEpoch > 0 && totalSteps > 0, "\(totalSteps) steps, \(stepsPerEpoch) in an epoch")
    self.base = base
    shape = spec.shape
    self.warmupStart = warmupStart
    warmupSteps =
      switch spec.warmup {
      case .none: 0
      case .steps(let count): count
      case .fraction(let fraction): Int((fraction * Double(totalSteps)).rounded())
      }
    self.stepsPerEpoch = stepsPerEpoch
    self.totalSteps = totalSteps
  }

  /// - Parameter step: From 0; steps past the end of the run keep the rate that a span-shaped schedule ends with.
  package func rate(atStep step: Int) -> Double {
    base * warmupFactor(step) * shapeFactor(step)
  }

  /// From zero `(s + 1) / warmupSteps`, so that the first step already learns and the last of them has the full
  /// rate; from a part `p` of the rate `p + (1 - p) s / warmupSteps`, so that the first step has that part and
  /// the first step after the warm-up the full rate.
  private func warmupFactor(_ step: Int) -> Double {
    guard step < warmupSteps else { return 1 }
    if warmupStart == 0 { return Double(step + 1) / Double(warmupSteps) }
    return warmupStart + (1 - warmupStart) * Double(step) / Double(warmupSteps)
  }

  private func shapeFactor(_ step: Int) -> Double {
    switch shape {
    case .constant: 1
    case .step(let everyEpochs, let factor): pow(factor, Double(stair(step, everyEpochs)))
    case .exponential(let factor): pow(factor, Double(step) / Double(stepsPerEpoch))
    case .inverseTime(let rate): 1 / (1 + rate * Double(step / stepsPerEpoch))
    case .polynomial(let power, let final): final + (1 - final) * pow(1 - progress(step), power)
    case .cosine(let final): cosine(from: 1, to: final, progress(step))
    case .oneCycle(let fraction, let start, let final):
      oneCycle(step, rise: fraction, start: start, final: final)
    }
  }

  /// Stairs gone down; a stair is a whole number of steps.
  private func stair(_ step: Int, _ everyEpochs: Double) -> Int {
    step / max(1, Int((everyEpochs * Double(stepsPerEpoch)).rounded()))
  }

  /// Steps that the shape spans, and how far `step` is in them: warm-up left out, the end not passed.
  private var span: Int { max(1, totalSteps - warmupSteps) }

  private func position(_ step: Int) -> Int { min(max(0, step - warmupSteps), span) }

  private func progress(_ step: Int) -> Double { Double(position(step)) / Double(span) }

  /// Half a period: `from` at progress 0, `to` at 1.
  private func cosine(from: Double, to: Double, _ progress: Double) -> Double {
    to + (from - to) / 2 * (1 + cos(.pi * progress))
  }

  /// The top is at step `rise * span - 1`, the end at the last step `span - 1`, as in PyTorch.
  private func oneCycle(_ step: Int, rise: Double, start: Double, final: Double) -> Double {
    let s = Double(min(position(step), span - 1))
    let (top, end) = (rise * Double(span) - 1, Double(span - 1))
    if s <= top { return cosine(from: start, to: 1, top > 0 ? s / top : 1) }
    return cosine(from: 1, to: final, (s - top) / (end - top))
  }
}
