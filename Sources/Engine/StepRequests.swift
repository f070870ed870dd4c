import Kernels
import Storage

/// What ranks ask of all ranks for the end of a step. Bits, so that the requests of several ranks unite.
///
/// A request travels as a word of the leaf (`LeafLayout.control`), which holds 16 of them.
package struct StepRequests: OptionSet, Sendable {
  package let rawValue: Int

  package init(rawValue: Int) {
    self.rawValue = rawValue
  }

  /// A rank got SIGTERM, SIGINT or SIGUSR1.
  package static let terminate = StepRequests(rawValue: 1 << 0)
  package static let interrupt = StepRequests(rawValue: 1 << 1)
  package static let userSignal = StepRequests(rawValue: 1 << 2)
  /// The job's time is nearly over.
  package static let endTime = StepRequests(rawValue: 1 << 3)
  /// Rank 0 wants a checkpoint of this step.
  package static let checkpoint = StepRequests(rawValue: 1 << 4)

  /// Those that end the run.
  package static let stop: StepRequests = [.terminate, .interrupt, .userSignal, .endTime]

  package var wantStop: Bool { !isDisjoint(with: .stop) }

  /// A word per request: 1 or 0.
  package func write<S: Scalar>(into words: Block<S>) {
    for bit in 0..<words.count { words[bit] = rawValue & 1 << bit != 0 ? 1 : 0 }
  }

  /// What any rank asked for: the words whose sum is not 0.
  package init<S: Scalar>(summed words: Block<S>) {
    var bits = 0
    for bit in 0..<words.count where words[bit] > 0 { bits |= 1 << bit }
    self.init(rawValue: bits)
  }
}
