import Plan

/// How a step's time changes while a cluster is filled with ranks.
package struct ScalingCurve: Equatable, Sendable {
  package struct Point: Equatable, Sendable {
    package var cluster: Cluster
    /// The config's batch shared by all ranks.
    package var strong: StepPrediction
    /// `T(1) / (R T(R))`.
    package var strongEfficiency: Double
    /// As many micro-shards on each rank as the last point has: the batch grows with the ranks.
    package var weak: StepPrediction
    /// `T(1) / T(R)`.
    package var weakEfficiency: Double
  }

  package let points: [Point]
  /// Micro-shards of the busiest rank of the whole cluster.
  package let shardsPerRank: Int
  /// The last point's step if sums waited for the end of backward.
  package let withoutOverlap: StepPrediction

  /// - Precondition: The cluster has no more ranks than there are shards.
  package init(
    _ plan: ExecutionPlan, shards: Int, times: MachineTimes, cluster: Cluster, network: NetworkModel
  ) {
    let shardsPerRank = (shards + cluster.ranks - 1) / cluster.ranks
    self.shardsPerRank = shardsPerRank
    func step(_ share: StepShare, _ cluster: Cluster, overlaps: Bool = true) -> StepPrediction {
      StepSimulation.run(
        plan, share: share, times: times, on: cluster, network: network, overlaps: overlaps
      ).prediction
    }
    func strong(_ cluster: Cluster, overlaps: Bool = true) -> StepPrediction {
      step(.largest(ranks: cluster.ranks, shards: shards), cluster, overlaps: overlaps)
    }
    func weak(_ cluster: Cluster) -> StepPrediction {
      let total = shardsPerRank * cluster.ranks
      return step(StepShare(rank: 0, of: cluster.ranks, shards: total), cluster)
    }
    let single = Cluster(ranks: 1, hosts: 1)
    let (alone, aloneWeak) = (strong(single).totalSeconds, weak(single).totalSeconds)
    points = cluster.growth.map { cluster in
      let (strong, weak) = (strong(cluster), weak(cluster))
      return Point(
        cluster: cluster, strong: strong,
        strongEfficiency: alone / (Double(cluster.ranks) * strong.totalSeconds), weak: weak,
        weakEfficiency: aloneWeak / weak.totalSeconds)
    }
    withoutOverlap = strong(cluster, overlaps: false)
  }
}
