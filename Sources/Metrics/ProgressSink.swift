/// Is told what this rank is doing, for instance to publish it for the other ranks.
///
/// Called at the beginning of every phase and of every instruction of a step: it must be as cheap as a
/// store to memory, allocate nothing and ask no clock.
package protocol ProgressSink: AnyObject {
  /// - Parameters:
  ///   - step: The step under way, or the one that comes next; from 0.
  ///   - instruction: The place in the plan's `instructionNames`; `RankActivity.noInstruction` outside
  ///     the walk through the plan.
  func note(step: Int, phase: Phase, instruction: Int)
}
