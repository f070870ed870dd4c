import Optimizers

/// Who holds the optimizer's state: beside the rule because it is the rule's memory, whatever the rule.
extension OptimizerSection {
  static var stateKey: Key<OptimizerSpec> {
    Key(
      "state", \.state,
      .word(["auto": .automatic, "replicated": .replicated, "sharded": .sharded]),
      "sharded: the ranks of a host hold state and average once and divide the update; "
        + "replicated: every rank holds all; auto: by the model's size. The numbers are the same.")
  }
}
