import Optimizers

/// What large batches need: the rule by which the learning rate follows the batch, LARS and LAMB.
extension OptimizerSection {
  static var scaleKey: Key<OptimizerSpec> {
    Key("scale", \.scale, scale.format, "How the learning rate follows the batch.")
  }

  private static var scale: Section<BatchScaling> {
    Section(
      defaults: BatchScaling(),
      keys: [
        Key(
          "rule", \.rule,
          .word(["none": .none, "linear": .linear, "square_root": .squareRoot]),
          "linear: learning_rate x batch / base_batch; square_root: x the root of that."),
        Key(
          "base_batch", \.baseBatch, Format.wholeNumber(.atLeast(1), example: 256).optional,
          "The batch that learning_rate belongs to; warm-up starts from learning_rate."),
      ],
      check: checkScale)
  }

  private static func checkScale(
    _ scale: BatchScaling, _ site: SectionSite, _ faults: inout Faults
  ) {
    guard site.isSound("rule", "base_batch", in: faults), scale.rule != .none,
      scale.baseBatch == nil
    else { return }
    let path = join(site.path, "base_batch")
    faults.add(
      at: site.place, path: path, "\(path) is missing",
      expected: "the global batch with which optimizer.learning_rate was found",
      remedy: "add base_batch: 256 under \(site.path), or write rule: none")
  }

  private struct Layerwise {
    var momentum = 0.9
    var trust = 0.001
  }

  static var lars: Variant<OptimizerSpec> {
    variant(
      "lars", "Momentum with a rate per tensor, by the norms of weights and gradient.", Layerwise(),
      [
        Key("momentum", \.momentum, average(0.9), "The weight of the past in the velocity."),
        Key(
          "trust", \.trust, .number(.above(0), example: 0.001),
          "The length of a step as a part of the tensor's norm, before the learning rate."),
      ],
      decay: 0.0005, more: [adaptKey],
      make: { .lars(momentum: $0.momentum, trust: $0.trust) }
    ) {
      guard case .lars(let momentum, let trust) = $0.rule else { return nil }
      return Layerwise(momentum: momentum, trust: trust)
    }
  }

  static var lamb: Variant<OptimizerSpec> {
    var defaults = Moments()
    defaults.epsilon = 1e-6
    return variant(
      "lamb", "AdamW with steps as long as the tensor's norm times the rate.", defaults,
      momentsKeys, decay: 0.01, more: [adaptKey],
      make: { .lamb(beta1: $0.beta1, beta2: $0.beta2, epsilon: $0.epsilon) }
    ) {
      guard case .lamb(let beta1, let beta2, let epsilon) = $0.rule else { return nil }
      return Moments(.adam(beta1: beta1, beta2: beta2, epsilon: epsilon))
    }
  }

  private static var adaptKey: Key<OptimizerSpec> {
    Key(
      "adapt_biases_and_norms", \.adaptsBiasesAndNorms, .truth,
      "Whether biases and the scales and shifts of norms get rates of their own too.")
  }
}
