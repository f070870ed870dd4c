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
  ///   - shorter: Of steps of shorter sequences, which share it as well.
  ///   - hasAverage: Whether a moving average of the weights is kept.
  ///   - shards: V, over all ranks.
  ///   - stateRanks: Ranks of a host that hold the optimizer's state and the average once between them.
  ///   - roundsBetweenHosts: Whether `communication.wire` rounds.
  ///   - averagesReplicas: Whether ranks take steps alone.
  package init(
    training: ExecutionPlan, evaluation: ExecutionPlan, shorter: [ExecutionPlan] = [],
    rule: UpdateRule, hasAverage: Bool,
    shards: Int, cluster: Cluster, stateRanks: Int = 1, roundsBetweenHosts: Bool = false,
    averagesReplicas: Bool = false
  ) {
    let parameters = training.leaf.parameterCount
    add("parameters", parameters, "weights")
    let share = stateRanks > 1 ? ", 1/\(stateRanks) of it" : ""
    func part(_ elements: Int) -> Int { (elements + stateRanks - 1) / stateRanks }
    if hasAverage { add("average", part(parameters), "moving average of the weights" + share) }
    if rule.slotCount > 0 {
      add(
        "optimizer", part(rule.slotCount * parameters),
        rule.slotNames.joined(separator: ", ") + share)
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
    if cluster.hosts > 1 {
      let layout = cluster.layout(shards: shards)
      let traffic = training.buckets.map { SumTraffic(bucket: $0, layout) }
      let received = traffic.reduce(SumTraffic(), +).receivedBytesPerRank
      add("messages", received / MemoryLayout<Float>.stride, "pieces of other hosts' sums")
    }
    let arena = ([training, evaluation] + shorter).map(\.arena.count).max() ?? 0
    let again = training.graph.recomputedBlockCount > 0 ? ", blocks computed again in backward" : ""
    add(
      "activations", arena, "inputs and values of \(training.passCapacity) samples" + again)
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
