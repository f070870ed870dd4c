/// The order in which an epoch visits `count` samples: a permutation that can be entered anywhere.
package enum EpochOrder: Sendable {
  /// Another one in every epoch.
  case shuffled(ShuffledOrder)
  /// Windows of a sequence, each of which goes on where a row of the batch before ended.
  case continued(ContinuedOrder)

  /// A shuffled order.
  ///
  /// - Parameters:
  ///   - count: At most 2^32 samples.
  ///   - epoch: From 0.
  package init(count: Int, seed: UInt64, epoch: Int) {
    self = .shuffled(ShuffledOrder(count: count, seed: seed, epoch: epoch))
  }

  package var count: Int {
    switch self {
    case .shuffled(let order): order.count
    case .continued(let order): order.count
    }
  }

  /// The sample that stands at `position` of the epoch.
  @inline(__always)
  package func sample(at position: Int) -> Int {
    switch self {
    case .shuffled(let order): order.sample(at: position)
    case .continued(let order): order.sample(at: position)
    }
  }
}
