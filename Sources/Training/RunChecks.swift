import Datasets
import Diagnostics


/// Cross-checks of what a run is made of, before anything is allocated or written.

/// More ranks than micro-shards would leave ranks without work.
package func checkRanks(_ ranks: Int, _ spec: RunSpec) throws {
  guard ranks > spec.training.shards else { return }
  throw Diagnostic(
    place: "launch", problem: "\(ranks) ranks for \(spec.training.shards) micro-shards",
    expected: "at most as many ranks as training.shards, so that every rank has work",
    remedy: "start \(spec.training.shards) ranks or fewer, or set training.shards to \(ranks) or more "
      + "(a divisor of training.batch = \(spec.training.batch)); other shards give other bits")
}

/// The network's input is a sample of the data.
package func checkInput(_ shape: DataShape, _ spec: RunSpec) throws {
  let expected = spec.model.input.reduce(1, *)
  guard shape.elementCount != expected else { return }
  throw Diagnostic(
    place: "model.input",
    problem: "the model takes \(spec.model.input), \(expected) numbers a sample; the data have "
      + "\(shape.input), \(shape.elementCount)",
    expected: "an input of as many numbers as a sample has",
    remedy: "set model.input to \(shape.input.count == 2 ? shape.input + [1] : shape.input)")
}

