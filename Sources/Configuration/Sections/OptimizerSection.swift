import Optimizers

/// The update rule: `{kind: adam, learning_rate: 0.001}`.
enum OptimizerSection {
  static var format: Format<OptimizerSpec> { choice.format }

  private static var choice: Choice<OptimizerSpec> {
    Choice(
      noun: "optimizer", tagKey: "kind", isNamedFormAllowed: false,
      example: "{kind: adam, learning_rate: 0.001}",
      variants: [sgd, momentum, rmsprop, adagrad, adam, adamw, lars, lamb])
  }

  /// A rule's own constants with what all rules share.
  struct Options<Constants> {
    var constants: Constants
    /// Its rule is a stand-in.
    var shared = OptimizerSpec(rule: .sgd, learningRate: 0)
  }

  /// - Parameters:
  ///   - decay: The default of `weight_decay`; nil: the rule has no such key.
  ///   - more: Keys of the shared settings that only some rules have.
  static func variant<Constants>(
    _ name: String, _ documentation: String, _ defaults: Constants, _ keys: [Key<Constants>],
    decay: Double? = 0, more: [Key<OptimizerSpec>] = [], make: @escaping (Constants) -> UpdateRule,
    check: @escaping (Options<Constants>, SectionSite, inout Faults) -> Void = { _, _, _ in },
    extract: @escaping (OptimizerSpec) -> Constants?
  ) -> Variant<OptimizerSpec> {
    var options = Options(constants: defaults)
    options.shared.weightDecay = decay ?? 0
    let rate = Key(
      "learning_rate", \OptimizerSpec.learningRate, .number(.atLeast(0), example: 0.001),
      "The step size before scaling and the schedule's factor.", isRequired: true)
    let shared =
      [rate, scaleKey] + (decay == nil ? [] : [decayKey]) + penaltyKeys + more + [stateKey]
    let own = keys.map { $0.inside(\Options<Constants>.constants) }
    let rest = shared.map { $0.inside(\Options<Constants>.shared) }
    let section = Section(
      defaults: options, keys: rest.prefix(1) + own + rest.dropFirst(), check: check)
    return Variant(
      name, documentation, section,
      make: { options in
        var spec = options.shared
        spec.rule = make(options.constants)
        return spec
      },
      extract: { spec in extract(spec).map { Options(constants: $0, shared: spec) } })
  }

  private static var decayKey: Key<OptimizerSpec> {
    Key(
      "weight_decay", \.weightDecay, .number(.atLeast(0), example: 0.01),
      "Decoupled decay: weights shrink by learning rate x this in every step; lars and lamb scale it with the step."
    )
  }

  private static var penaltyKeys: [Key<OptimizerSpec>] {
    [
      Key(
        "l2", \.l2, .number(.atLeast(0), example: 0.0001),
        "Penalty in the loss: l2 / 2 x the sum of the squared weights."),
      Key(
        "l1", \.l1, .number(.atLeast(0), example: 0.0001),
        "Penalty in the loss: l1 x the sum of the absolute weights."),
      Key(
        "decay_biases_and_norms", \.decaysBiasesAndNorms, .truth,
        "Whether decay and penalties also touch biases and the scales and shifts of norms."),
      Key("groups", \.groups, groups, "Exceptions by parameter name; later ones win."),
    ]
  }

  private static var groups: Format<[ParameterGroupSpec]> {
    let penalty = Format.number(.atLeast(0), example: 0).optional
    let section = Section(
      defaults: ParameterGroupSpec(match: ""),
      keys: [
        Key(
          "match", \.match, .text(example: "layers.0.*"),
          "Whole words of the parameter's name; * stands for any characters.", isRequired: true),
        Key(
          "learning_rate_factor", \.learningRateFactor,
          Format.number(.atLeast(0), example: 0.1).optional,
          "By what the learning rate is multiplied; 0 freezes the parameters."),
        Key("weight_decay", \.weightDecay, penalty, "In place of the optimizer's."),
        Key("l2", \.l2, penalty, "In place of the optimizer's."),
        Key("l1", \.l1, penalty, "In place of the optimizer's."),
      ])
    return section.format.list(
      "a list of groups", example: "[{match: layers.0.*, learning_rate_factor: 0.1}]",
      isEmptyAllowed: true)
  }
}

/// The rules.
extension OptimizerSection {
  private static var sgd: Variant<OptimizerSpec> {
    variant("sgd", "Plain gradient descent.", (), [], make: { .sgd }) {
      if case .sgd = $0.rule { () } else { nil }
    }
  }

  private struct Momentum {
    var beta = 0.9
    var isClassical = false
    var nesterov = false

    init() {}

    init?(_ rule: UpdateRule) {
      switch rule {
      case .exponentialMomentum(let beta): self.beta = beta
      case .momentum(let beta, let nesterov):
        self.beta = beta
        self.nesterov = nesterov
        isClassical = true
      default: return nil
      }
    }

    var rule: UpdateRule {
      isClassical ? .momentum(beta: beta, nesterov: nesterov) : .exponentialMomentum(beta: beta)
    }
  }

  private static var momentum: Variant<OptimizerSpec> {
    variant(
      "momentum", "Gradient descent along an average of the gradients.", Momentum(),
      [
        Key("beta", \.beta, average(0.9), "The weight of the past in the average."),
        Key(
          "form", \.isClassical, .word(["exponential": false, "classical": true]),
          "exponential: v = beta v + (1 - beta) g, as in the courses; classical: v = beta v + g."),
        Key("nesterov", \.nesterov, .truth, "Looks one step ahead; for the classical form."),
      ],
      make: \.rule,
      check: { options, site, faults in
        guard site.isSound("form", "nesterov", in: faults), options.constants.nesterov,
          !options.constants.isClassical
        else { return }
        faults.add(
          at: site.place(of: "nesterov"), path: join(site.path, "nesterov"),
          "\(join(site.path, "nesterov")) is true in the exponential form",
          expected: "the classical form, for which Nesterov's method is defined",
          remedy: "add form: classical, or remove nesterov")
      },
      extract: { Momentum($0.rule) })
  }

  private struct Scaling {
    var beta = 0.9
    var epsilon = 1e-8
  }

  private static var rmsprop: Variant<OptimizerSpec> {
    variant(
      "rmsprop", "Divides by an average of the gradient's size.", Scaling(),
      [
        Key("beta", \.beta, average(0.9), "The weight of the past in the average."),
        epsilonKey(\.epsilon),
      ],
      make: { .rmsprop(beta: $0.beta, epsilon: $0.epsilon) }
    ) {
      guard case .rmsprop(let beta, let epsilon) = $0.rule else { return nil }
      return Scaling(beta: beta, epsilon: epsilon)
    }
  }

  private static var adagrad: Variant<OptimizerSpec> {
    variant(
      "adagrad", "Divides by the size of all gradients so far.", 1e-8, [epsilonKey(\.self)],
      make: { .adagrad(epsilon: $0) }
    ) {
      if case .adagrad(let epsilon) = $0.rule { epsilon } else { nil }
    }
  }

  struct Moments {
    var beta1 = 0.9
    var beta2 = 0.999
    var epsilon = 1e-8

    init() {}

    init?(_ rule: UpdateRule) {
      guard case .adam(let beta1, let beta2, let epsilon) = rule else { return nil }
      self.beta1 = beta1
      self.beta2 = beta2
      self.epsilon = epsilon
    }

    var rule: UpdateRule { .adam(beta1: beta1, beta2: beta2, epsilon: epsilon) }
  }

  static var momentsKeys: [Key<Moments>] {
    [
      Key("beta1", \.beta1, average(0.9), "The weight of the past in the average of gradients."),
      Key("beta2", \.beta2, average(0.999), "The weight of the past in the average of squares."),
      epsilonKey(\.epsilon),
    ]
  }

  /// Adam without decay: what decays is `adamw`.
  private static var adam: Variant<OptimizerSpec> {
    variant(
      "adam", "Both averages, bias corrected.", Moments(), momentsKeys, decay: nil, make: \.rule,
      check: { options, site, faults in
        guard let index = options.shared.groups.firstIndex(where: { ($0.weightDecay ?? 0) > 0 })
        else { return }
        let path = join(site.path, "groups.\(index).weight_decay")
        faults.add(
          at: site.place(of: "groups"), path: path, "\(path) does not belong to kind: adam",
          expected: "l2 or l1; weight_decay is a key of adamw",
          remedy: "write kind: adamw with weight_decay: 0, or use l2")
      },
      extract: { spec in
        let decays = spec.weightDecay > 0 || spec.groups.contains { ($0.weightDecay ?? 0) > 0 }
        return decays ? nil : Moments(spec.rule)
      })
  }

  private static var adamw: Variant<OptimizerSpec> {
    variant(
      "adamw", "Adam with decoupled weight decay.", Moments(), momentsKeys, decay: 0.01,
      make: \.rule, extract: { Moments($0.rule) })
  }

  static func average(_ example: Double) -> Format<Double> {
    .number(.from(0, below: 1), example: example)
  }

  private static func epsilonKey<Root>(_ property: WritableKeyPath<Root, Double>) -> Key<Root> {
    Key(
      "epsilon", property, .number(.above(0), example: 1e-8), "Keeps the divisor away from zero.")
  }
}
