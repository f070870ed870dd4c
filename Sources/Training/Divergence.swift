import Collectives
import Diagnostics
import Engine
import Graph

/// One sentence about a step whose loss or gradient is not finite.
///
/// - Parameters:
///   - first: The first operation whose result was not finite; nil: none was found again.
///   - rank: The rank that took the step alone; nil: all took it together.
func divergenceDiagnostic(
  _ fault: NotFinite, first: Operation?, rank: RankIdentity? = nil
) -> Diagnostic {
  let what =
    fault.loss.isFinite
    ? "the norm of the gradient is \(text(fault.gradientNorm))" : "the loss is \(text(fault.loss))"
  let origin =
    first.map { "; \($0.layer) (\($0.kind.name)) went bad first" }
    ?? "; it arose in the sum over the batch"
  let end = rank == nil ? "nothing was updated" : "the ranks did not take its weights"
  return Diagnostic(
    place: "step \(fault.step)",
    problem: (rank.map { "\($0): " } ?? "") + "\(what)\(origin); \(end)",
    expected: "finite numbers",
    remedy: "lower optimizer.learning_rate, add warm-up, or set training.clip_norm; check the data "
      + "for extreme values")
}

/// Without the sign that a result may have even if it is not a number.
private func text(_ value: Double) -> String { value.isNaN ? "nan" : "\(value)" }
