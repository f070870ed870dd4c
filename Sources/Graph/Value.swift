/// A tensor of the graph: written by one operation (or from outside), read by any number.
package struct ValueID: Hashable, Comparable, Sendable {
  package var index: Int

  package init(_ index: Int) {
    self.index = index
  }

  package static func < (a: ValueID, b: ValueID) -> Bool { a.index < b.index }
}

package struct Value: Equatable, Sendable {
  package var role: ValueRole
  /// Elements per sample, or in all for what does not grow with the number of samples.
  package var elementCount: Int

  package init(_ role: ValueRole, elementCount: Int) {
    self.role = role
    self.elementCount = elementCount
  }
}

package enum ValueRole: Equatable, Sendable {
  /// The batch's samples.
  case input
  /// Class numbers or target rows; they lie outside the arena because classes are integers.
  case target
  /// Index into `ModelGraph.parameters`.
  case parameter(Int)
  /// Index into `ModelGraph.statistics`: state that is averaged over steps, not trained.
  case statistic(Int)
  /// Index into `ModelGraph.states`: for each row of the batch, what the window before left; lives outside the arena.
  case state(Int)
  /// The same for the window after this one, whose `state` it becomes at the end of the step.
  case nextState(Int)
  /// Grows with the samples; lives in the arena.
  case activation
  /// Does not grow with the samples; lives in the arena.
  case shardConstant
  /// A share of a sum over all micro-shards; lives in the gradient leaf.
  case parameterGradient(Int)
  case statisticShare(Int)
  case lossShare
  /// Of one of several losses: 0 for that of the model's end, then the auxiliary ones in their order.
  case lossTermShare(Int)
  case correctShare

  /// Whether the planner gives it a place in the arena.
  package var isInArena: Bool {
    switch self {
    case .input, .activation, .shardConstant: true
    default: false
    }
  }

  package var growsWithSamples: Bool {
    switch self {
    case .input, .target, .activation: true
    default: false
    }
  }
}
