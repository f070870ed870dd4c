import Collectives
import Engine
import Foundation
import Storage

/// Knows whether this rank wants the run to stop, and asks the others.
///
/// Within a step the question travels with the gradients (`StepEngine.run`); everywhere else all ranks
/// call `requestsOfAll` together.
package final class Preemption {
  private let collectives: any Collectives
  private let signal: () -> StopSignal?
  /// Seconds since 1970.
  private let now: () -> Double
  /// On rank 0.
  package let deadline: Deadline?
  /// Whether the run was started with `--fresh`, which must not be repeated to go on.
  let isFresh: Bool

  /// - Parameters:
  ///   - deadline: Counts on rank 0 only: one clock decides.
  ///   - signal: The first stop signal of this process.
  package init(
    over collectives: any Collectives, deadline: Deadline?, isFresh: Bool = false,
    signal: @escaping () -> StopSignal? = { StopSignals.received },
    now: @escaping () -> Double = { Date().timeIntervalSince1970 }
  ) {
    self.collectives = collectives
    self.deadline = collectives.isRoot ? deadline : nil
    self.isFresh = isFresh
    self.signal = signal
    self.now = now
  }

  /// What this rank asks for. Allocates nothing.
  ///
  /// - Parameter saving: What a save takes.
  func requests(saving: Duration) -> StepRequests {
    var requests: StepRequests =
      switch signal() {
      case .terminate: .terminate
      case .interrupt: .interrupt
      case .user: .userSignal
      case nil: []
      }
    if let deadline, deadline.isReached(at: now(), saving: saving) { requests.insert(.endTime) }
    return requests
  }

  /// What any rank asks for, the same on every rank; of several reasons, one.
  func requestsOfAll(saving: Duration) throws -> StepRequests {
    StepRequests(rawValue: try collectives.allMaximum(requests(saving: saving).rawValue))
  }

  /// Ends the start of a run in which nothing was trained yet, if a rank asks for it.
  ///
  /// - Parameter step: Where the run would go on.
  package func endStartIfAsked(step: Int) throws {
    let requests = try requestsOfAll(saving: .zero)
    if requests.wantStop {
      throw requests.end(at: step, isSaved: true, isFresh: isFresh)
    }
  }
}

extension StepRequests {
  /// The end of a run that was asked to stop.
  ///
  /// - Parameters:
  ///   - isSaved: Whether a checkpoint of this step is on the disk.
  ///   - isFresh: Whether the run was started with `--fresh`, which must not be repeated.
  func end(at step: Int, isSaved: Bool, isFresh: Bool) -> AgreedFailure {
    let again = "start the same command again" + (isFresh && step > 0 ? " without --fresh" : "")
    let rest =
      if step == 0 {
        "before the first step: \(again)"
      } else if isSaved {
        "at step \(step): saved, \(again) to go on"
      } else {
        "at step \(step): not saved (see the warning), \(again) to go on from the checkpoint before"
      }
    return AgreedFailure(
      message: "preempted by \(reason) \(rest)", exitCode: ExitCode.preempted, isOrderly: true)
  }

  private var reason: String {
    if contains(.terminate) { return StopSignal.terminate.name }
    if contains(.interrupt) { return StopSignal.interrupt.name }
    if contains(.userSignal) { return StopSignal.user.name }
    return "the end of the job's time"
  }
}
