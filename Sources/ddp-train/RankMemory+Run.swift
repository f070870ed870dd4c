import Collectives
import Scaling
import Training

extension ModelPlans {
  /// What a rank of a run holds.
  func memory(_ spec: RunSpec, on cluster: Cluster) -> RankMemory {
    RankMemory(
      training: training, evaluation: evaluation, rule: spec.optimizer.rule,
      hasAverage: spec.training.emaDecay != nil, shards: spec.training.shards, cluster: cluster,
      roundsBetweenHosts: spec.communication.wire.isRounded,
      averagesReplicas: spec.training.localSteps > 1)
  }
}

extension Cluster {
  /// The ranks of a run and their hosts.
  init(_ collectives: any Collectives) {
    self.init(ranks: collectives.ranks, hosts: collectives.ranksPerHost.count)
  }
}
