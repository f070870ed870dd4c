import Diagnostics

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
