import DataParallel
import Optimizers
import Plan

/// What one rank holds in memory for training, part by part; of several ranks the one with the most.
///
/// The one place that counts it: the run's header, `summary` and `plan` show its numbers.
package struct RankMemory: Equatable, Sendable {
  package struct Part: Equatable, Sendable {
    package var name: String
    package var byteCount: Int
    /// What the number is made of.
    package var remark: String
  }

  package private(set) var parts: [Part] = []

  /// - Parameters:
  ///   - training: The plan of a step.
  ///   - evaluation: The plan that shares its arena.
  ///   - hasAverage: Whether a moving average of the weights is kept.
  ///   - shards: V, over all ranks.
  ///   - roundsBetweenHosts: Whether `communication.wire` rounds.
  ///   - averagesReplicas: Whether ranks take steps alone.
  package init(
    training: ExecutionPlan, evaluation: ExecutionPlan, rule: UpdateRule, hasAverage: Bool,
    shards: Int, cluster: Cluster, roundsBetweenHosts: Bool = false,
    averagesReplicas: Bool = false
  ) {
    let parameters = training.leaf.parameterCount
    add("parameters", parameters, "weights")
    if hasAverage { add("average", parameters, "moving average of the weights") }
    if rule.slotCount > 0 {
      add("optimizer", rule.slotCount * parameters, rule.slotNames.joined(separator: ", "))
    }
    let slots =
      (0..<cluster.ranks).map {
        LocalSum(
          shards: ShardRange.shards(ofRank: $0, of: cluster.ranks, shards: shards), of: shards
        ).slotCount
      }.max() ?? 1
    let leaf = training.leaf.count
    add("gradients", slots * leaf, "\(slots) \(slots == 1 ? "leaf" : "leaves") of the tree")
    if roundsBetweenHosts, cluster.hosts > 1 {
      add("residuals", leaf / cluster.localRanks, "what rounding between hosts keeps back")
    }
    if averagesReplicas { add("means", parameters, "of the ranks' replicas on their way") }
    let arena = max(training.arena.count, evaluation.arena.count)
    add("activations", arena, "inputs and values of \(training.capacity) samples")
  }

  package var byteCount: Int { parts.reduce(0) { $0 + $1.byteCount } }

  package subscript(name: String) -> Int {
    parts.first { $0.name == name }?.byteCount ?? 0
  }

  private mutating func add(_ name: String, _ elements: Int, _ remark: String) {
    parts.append(
      Part(name: name, byteCount: elements * MemoryLayout<Float>.stride, remark: remark))
  }
}
