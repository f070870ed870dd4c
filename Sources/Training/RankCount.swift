import Diagnostics
import Graph

/// More ranks than micro-shards would leave ranks without work.
package func checkRanks(_ ranks: Int, _ spec: RunSpec, place: String = "launch") throws {
  guard ranks > spec.training.shards else { return }
  throw Diagnostic(
    place: place, problem: "\(ranks) ranks for \(spec.training.shards) micro-shards",
    expected: "at most as many ranks as training.shards, so that every rank has work",
    remedy:
      "start \(spec.training.shards) ranks or fewer, or set training.shards to \(ranks) or more "
      + "(a divisor of training.batch = \(spec.training.batch)); other shards give other bits")
}

/// Sums over the whole batch in the middle of a micro-shard want all ranks at the same place of the plan.
package func checkStatistics(ranks: Int, _ spec: RunSpec) throws {
  let shards = spec.training.shards
  guard ranks != shards, let layer = spec.model.wholeBatchNorms.first else { return }
  let divides = spec.training.batch % ranks == 0
  throw Diagnostic(
    place: layer.place,
    problem:
      "batch_norm takes the statistics of the whole batch, but there \(ranks == 1 ? "is" : "are") "
      + "\(ranks) rank\(ranks == 1 ? "" : "s") for \(shards) micro-shards",
    expected: "as many ranks as training.shards, so that all ranks come to this layer together",
    remedy: "start \(shards) rank\(shards == 1 ? "" : "s"), or set training.shards=\(ranks)"
      + (divides ? "" : " and training.batch to a multiple of \(ranks)")
      + ", or use statistics: shard")
}
