/// What a rank is doing; every moment of a run belongs to exactly one phase.
package enum Phase: UInt8, CaseIterable, Sendable {
  /// Forward, backward and update.
  case compute
  /// Summing over the ranks, as far as computing does not hide it.
  case communication
  /// Waiting for a slower rank.
  case waiting
  /// Filling the memory of the next batch.
  case data
  case checkpoint
  case evaluation
  /// Start, reports, audits and everything else.
  case other

  /// The word for it in tables, traces and the names of metrics.
  package var name: String {
    switch self {
    case .compute: "compute"
    case .communication: "communication"
    case .waiting: "waiting"
    case .data: "data"
    case .checkpoint: "checkpoint"
    case .evaluation: "evaluation"
    case .other: "other"
    }
  }
}
