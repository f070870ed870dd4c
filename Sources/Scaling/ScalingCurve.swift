import DataParallel
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
  /// What the whole cluster sums.
  package let buckets: [Range<Int>]

  /// - Parameter plan: The step with buckets of so many bytes, or of those that the config asks for.
  /// - Precondition: The cluster has no more ranks than there are shards.
  package init(
    shards: Int, times: MachineTimes, cluster: Cluster, network: NetworkModel,
    plan: (_ bucketBytes: Int) throws -> ExecutionPlan
  ) rethrows {
    let perRank = (shards + cluster.ranks - 1) / cluster.ranks
    func step(_ plan: ExecutionPlan, _ layout: HostLayout, overlaps: Bool = true) -> StepPrediction
    {
      StepPrediction(
        StepSimulation.run(plan, layout, times: times, network: network, overlaps: overlaps))
    }
    let whole = try cluster.plan(times: times, network: network, plan)
    var points: [Point] = []
    for part in cluster.growth {
      let own = part == cluster ? whole : try part.plan(times: times, network: network, plan)
      let strong = step(own, part.layout(shards: shards))
      let weak = step(own, part.layout(shards: perRank * part.ranks))
      let (alone, aloneWeak) = points.first.map { ($0.strong, $0.weak) } ?? (strong, weak)
      points.append(
        Point(
          cluster: part, strong: strong,
          strongEfficiency: alone.totalSeconds / (Double(part.ranks) * strong.totalSeconds),
          weak: weak, weakEfficiency: aloneWeak.totalSeconds / weak.totalSeconds))
    }
    self.points = points
    shardsPerRank = perRank
    buckets = whole.buckets
    withoutOverlap = step(whole, cluster.layout(shards: shards), overlaps: false)
  }
}

extension Cluster {
  /// The plan with buckets of the size that a run on this cluster would choose.
  package func plan(
    times: MachineTimes, network: NetworkModel, _ plan: (_ bucketBytes: Int) throws -> ExecutionPlan
  ) rethrows -> ExecutionPlan {
    let first = try plan(1 << 20)
    if ranks == 1 { return first }
    let cost = SumCost(on: layout(shards: ranks), times: times, network: network)
    return try plan(
      cost.bucketBytes(gradientBytes: first.leaf.count * MemoryLayout<Float>.stride))
  }
}

extension SumCost {
  /// What a run would measure at its start.
  init(on layout: HostLayout, times: MachineTimes, network: NetworkModel) {
    func seconds(_ byteCount: Int) -> Double {
      let buckets = [0..<byteCount / MemoryLayout<Float>.stride]
      let programs = layout.hosts.map { _ in StepProgram(sumsOf: buckets) }
      return StepPrediction(
        StepSimulation.run(programs, buckets: buckets, layout, times: times, network: network)
      ).totalSeconds
    }
    self.init(seconds)
  }
}
