import Datasets
import Diagnostics
import Graph

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

/// Class weights have one entry per output.
package func checkLoss(_ spec: RunSpec, outputs: Int) throws {
  guard let weights = spec.loss.classWeights, weights.count != outputs else { return }
  throw Diagnostic(
    place: "loss.class_weights", problem: "\(weights.count) weights for \(outputs) outputs",
    expected: "one weight per output of the model",
    remedy: "give \(outputs) weights, or make the model's last layer \(weights.count) wide")
}
