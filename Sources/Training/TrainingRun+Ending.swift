import Checkpoints
import Collectives
import Diagnostics
import Engine

/// Saving, and making way before the last step.
extension TrainingRun {
  /// All ranks bring what belongs into a checkpoint; rank 0 saves it.
  func save(_ save: (CheckpointKeeper, [NamedTensor]) throws -> Void) throws {
    var rest: [NamedTensor] = []
    if let residuals = steps.summation.residuals {
      rest = try activity.during(.checkpoint) {
        try ResidualTensors.gather(residuals, of: replica.model)
      }
    }
    if let states = steps.engine.states {
      rest += try activity.during(.checkpoint) {
        try CarriedTensors.gather(states, over: collectives)
      }
    }
    if let keeper { try save(keeper, rest) }
  }

  /// Takes over what rounding between hosts had kept back; all ranks call it before `train`.
  ///
  /// - Returns: What the user should know of it.
  package func restoreResiduals(_ checkpoint: ReceivedCheckpoint?) throws -> String? {
    try ResidualTensors.restore(
      checkpoint?.residuals ?? [], into: steps.summation.residuals, of: replica.model)
  }

  /// Takes over what layers carry from window to window; all ranks call it before `train`.
  ///
  /// - Parameter place: Where the checkpoint lies.
  package func restoreStates(_ checkpoint: ReceivedCheckpoint?, place: String) throws {
    guard let checkpoint, let states = steps.engine.states else { return }
    let shards = steps.summation.localShards
    try collectives.agree {
      try CarriedTensors.restore(
        checkpoint.carriedStates, into: states,
        firstRow: shards.lowerBound * spec.training.batch / spec.training.shards,
        rows: spec.training.batch, place: place)
    }
  }

  /// All ranks end here if one of them asks for it.
  func endIfAsked() throws {
    guard let preemption else { return }
    let requests = try preemption.requestsOfAll(saving: keeper?.expectedDuration ?? .zero)
    if requests.wantStop { throw try end(by: requests) }
  }

  /// Saves where the run stands.
  func end(by requests: StepRequests) throws -> AgreedFailure {
    let step = replica.counters.step
    if step > 0 { try save { try $0.saveLast(replica, rest: $1, activity: activity) } }
    journal?.display.clear()
    return requests.end(
      at: step, isSaved: keeper?.isSaved(replica) ?? true, isFresh: preemption?.isFresh ?? false)
  }
}
