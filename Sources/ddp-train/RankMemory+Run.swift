import Collectives
import Metrics
import Scaling
import Training

extension ModelPlans {
  /// What a rank of a run holds.
  ///
  /// - Parameter sharesState: Whether the ranks of a host hold the optimizer's state once; nil: as
  ///   `optimizer.state` says, where shared memory has room for it.
  func memory(
    _ spec: RunSpec, on cluster: Cluster, sharesState: Bool? = nil
  ) -> RankMemory {
    let shares =
      sharesState
      ?? (spec.training.localSteps == 1
        && spec.optimizer.state.shards(parameterCount: graph.parameterCount))
    return RankMemory(
      training: training, evaluation: evaluation, shorter: shorter, rule: spec.optimizer.rule,
      hasAverage: spec.training.emaDecay != nil, shards: spec.training.shards, cluster: cluster,
      stateRanks: shares ? cluster.leastLocalRanks : 1,
      roundsBetweenHosts: spec.communication.wire.isRounded,
      averagesReplicas: spec.training.localSteps > 1)
  }
}

extension RankMemory {
  /// `1.20 MB parameters, 2.40 MB optimizer, ...`
  var text: String {
    parts.map { "\(byteCountText($0.byteCount)) \($0.name)" }.joined(separator: ", ")
  }
}

extension Cluster {
  /// Ranks of the emptiest host, where a rank's share of what the host holds once is largest.
  var leastLocalRanks: Int {
    ranks - (hosts - 1) * localRanks > 0 ? ranks - (hosts - 1) * localRanks : 1
  }

  /// The ranks of a run and their hosts.
  init(_ collectives: any Collectives) {
    self.init(ranks: collectives.ranks, hosts: collectives.ranksPerHost.count)
  }
}
