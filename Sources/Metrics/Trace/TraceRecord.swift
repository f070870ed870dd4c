/// One change of what a rank does, as it is kept while the run goes on.
package struct TraceRecord: BitwiseCopyable, Equatable, Sendable {
  package enum Kind: UInt8, Sendable {
    /// A training step begins; a record of its first phase follows.
    case stepBegan
    case stepEnded
    case phaseBegan
    case instructionBegan
    /// The thread that writes checkpoints; not in the order of the other records.
    case writeBegan
    case writeEnded
    /// The timeline pauses: whatever is under way is cut here.
    case recordingEnded
  }

  package var time: MonotonicInstant
  /// From 0.
  package var step: Int32
  /// Its place in the plan; `RankActivity.noInstruction` without one.
  package var instruction: Int32
  /// The micro-shard under way, in the numbers of the whole batch.
  package var shard: Int16
  private var kindNumber: UInt8
  private var phaseNumber: UInt8

  package init(
    _ kind: Kind, at time: MonotonicInstant, step: Int, phase: Phase,
    instruction: Int = RankActivity.noInstruction, shard: Int = 0
  ) {
    self.time = time
    self.step = Int32(truncatingIfNeeded: step)
    self.instruction = Int32(truncatingIfNeeded: instruction)
    self.shard = Int16(truncatingIfNeeded: shard)
    kindNumber = kind.rawValue
    phaseNumber = phase.rawValue
  }

  package var kind: Kind { Kind(rawValue: kindNumber) ?? .recordingEnded }
  package var phase: Phase { Phase(rawValue: phaseNumber) ?? .other }
}
