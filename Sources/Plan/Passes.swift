import Graph

/// Which micro-shards go through the network together.
///
/// What is computed row by row has the same bits for any number of rows; only sums over samples, and what reads such sums,
/// see where a micro-shard ends, and are computed for one after the other. So this decides about speed alone: many samples
/// meet the weights while these are in a cache, few samples leave their own values there.
enum Passes {
  /// Micro-shards of a pass: as many as keep the values of the pass within a core's own cache, or a few times as large as
  /// the weights; 1 where ranks add up within the network, or where memory is to be saved by computing twice.
  ///
  /// - Parameters:
  ///   - capacity: Samples of a micro-shard.
  static func shardCount(
    _ graph: ModelGraph, capacity: Int, held: Set<ValueID>, options: PlanOptions
  ) -> Int {
    guard options.shards > 1, options.recompute == .nothing, !graph.addsUpWithin else {
      return 1
    }
    let values = ArenaLayout(graph, capacity: capacity, held: held).count
    let limit = options.passElements ?? max(cachedElements, weightFactor * graph.parameterCount)
    return min(options.shards, max(1, limit / max(values, 1)))
  }

  /// 2 MiB of Float.
  private static var cachedElements: Int { 1 << 19 }
  private static var weightFactor: Int { 4 }
}

extension ModelGraph {
  /// Whether an operation's result depends on which samples make a micro-shard.
  package func isShardWise(_ operation: Operation) -> Bool {
    operation.kind.comparesSamples
      || operation.outputs.contains { !self[$0].role.growsWithSamples }
      || operation.inputs.contains { self[$0].role == .shardConstant }
  }

  /// Whether operations read shares of sums over the batch.
  fileprivate var addsUpWithin: Bool {
    operations.contains { operation in
      operation.kind.givesBatchShare || operation.inputs.contains { self[$0].role.isShare }
    }
  }
}

extension ValueRole {
  fileprivate var isShare: Bool {
    switch self {
    case .parameterGradient, .statisticShare, .lossShare, .lossTermShare, .correctShare: true
    default: false
    }
  }
}
