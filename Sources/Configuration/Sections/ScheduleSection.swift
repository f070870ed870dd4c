import Optimizers

/// The learning rate over the steps: `cosine`, `{kind: step, every_epochs: 10, factor: 0.1}`.
enum ScheduleSection {
  static var format: Format<ScheduleSpec> { choice.format }

  private static var choice: Choice<ScheduleSpec> {
    Choice(
      noun: "schedule", tagKey: "kind", isNamedFormAllowed: false, example: "cosine",
      variants: [constant, step, exponential, inverseTime, polynomial, cosine, oneCycle])
  }

  /// A shape's own constants with the warm-up that every shape but one may have.
  private struct Options<Constants> {
    var constants: Constants
    var warmupSteps: Int?
    var warmupFraction: Double?

    var warmup: Warmup {
      if let warmupSteps { return .steps(warmupSteps) }
      return warmupFraction.map(Warmup.fraction) ?? .none
    }

    init(_ constants: Constants, warmup: Warmup = .none) {
      self.constants = constants
      switch warmup {
      case .none: break
      case .steps(let steps): warmupSteps = steps
      case .fraction(let fraction): warmupFraction = fraction
      }
    }
  }

  private static func variant<Constants>(
    _ name: String, _ documentation: String, _ defaults: Constants, _ keys: [Key<Constants>],
    make: @escaping (Constants) -> ScheduleShape,
    extract: @escaping (ScheduleShape) -> Constants?
  ) -> Variant<ScheduleSpec> {
    let section = Section(
      defaults: Options(defaults),
      keys: keys.map { $0.inside(\Options<Constants>.constants) } + warmupKeys(),
      check: { options, site, faults in
        guard options.warmupSteps != nil, options.warmupFraction != nil else { return }
        faults.add(
          at: site.place(of: "warmup_fraction"), path: join(site.path, "warmup_fraction"),
          "\(site.path) has both warmup_steps and warmup_fraction", expected: "one of the two",
          remedy: "remove warmup_steps or warmup_fraction")
      })
    return Variant(
      name, documentation, section,
      make: { options in
        var spec = ScheduleSpec(make(options.constants))
        spec.warmup = options.warmup
        return spec
      },
      extract: { spec in extract(spec.shape).map { Options($0, warmup: spec.warmup) } })
  }

  private static func warmupKeys<Constants>() -> [Key<Options<Constants>>] {
    [
      Key(
        "warmup_steps", \.warmupSteps, Format.wholeNumber(.atLeast(0), example: 500).optional,
        "Steps in which the rate rises linearly from 0."),
      Key(
        "warmup_fraction", \.warmupFraction,
        Format.number(.from(0, below: 1), example: 0.05).optional,
        "The same as a part of the whole run."),
    ]
  }
}

/// The shapes.
extension ScheduleSection {
  private static var constant: Variant<ScheduleSpec> {
    variant("constant", "The rate stays.", (), [], make: { .constant }) {
      if case .constant = $0 { () } else { nil }
    }
  }

  private struct Staircase {
    var everyEpochs = 0.0
    var factor = 0.1
  }

  private static var step: Variant<ScheduleSpec> {
    variant(
      "step", "A factor after every so many epochs.", Staircase(),
      [
        Key(
          "every_epochs", \.everyEpochs, .number(.above(0), example: 10),
          "Epochs between two steps of the staircase.", isRequired: true),
        Key(
          "factor", \.factor, .number(.above(0), example: 0.1),
          "By what the rate is multiplied there."),
      ],
      make: { .step(everyEpochs: $0.everyEpochs, factor: $0.factor) }
    ) {
      guard case .step(let everyEpochs, let factor) = $0 else { return nil }
      return Staircase(everyEpochs: everyEpochs, factor: factor)
    }
  }

  private static var exponential: Variant<ScheduleSpec> {
    variant(
      "exponential", "A factor per epoch, smoothly.", 0.95,
      [
        Key(
          "factor", \.self, .number(.above(0), example: 0.95),
          "By what the rate is multiplied in each epoch.", isRequired: true)
      ],
      make: { .exponential(factor: $0) }
    ) {
      if case .exponential(let factor) = $0 { factor } else { nil }
    }
  }

  private static var inverseTime: Variant<ScheduleSpec> {
    variant(
      "inverse_time", "1 / (1 + rate x epoch).", 1.0,
      [
        Key(
          "rate", \.self, .number(.atLeast(0), example: 1), "How fast the rate falls.",
          isRequired: true)
      ],
      make: { .inverseTime(rate: $0) }
    ) {
      if case .inverseTime(let rate) = $0 { rate } else { nil }
    }
  }

  private struct Curve {
    var power = 1.0
    var final = 0.0
  }

  private static var polynomial: Variant<ScheduleSpec> {
    variant(
      "polynomial", "(1 - progress) ^ power.", Curve(),
      [
        Key("power", \.power, .number(.above(0), example: 1), "The exponent."),
        finalKey(\.final),
      ],
      make: { .polynomial(power: $0.power, final: $0.final) }
    ) {
      guard case .polynomial(let power, let final) = $0 else { return nil }
      return Curve(power: power, final: final)
    }
  }

  private static var cosine: Variant<ScheduleSpec> {
    variant(
      "cosine", "Half a cosine down.", 0.0, [finalKey(\.self)], make: { .cosine(final: $0) }
    ) {
      if case .cosine(let final) = $0 { final } else { nil }
    }
  }

  private static func finalKey<Root>(_ property: WritableKeyPath<Root, Double>) -> Key<Root> {
    Key(
      "final", property, .number(.from(0, to: 1), example: 0.01),
      "The part of the rate that is left at the end.")
  }

  private struct Cycle {
    var warmupFraction = 0.3
    var start = 0.04
    var final = 0.000004
  }

  private static var oneCycle: Variant<ScheduleSpec> {
    let section = Section(
      defaults: Cycle(),
      keys: [
        Key(
          "warmup_fraction", \.warmupFraction, .number(.between(0, 1), example: 0.3),
          "The part of the run in which the rate rises."),
        Key(
          "start", \.start, .number(.above(0, to: 1), example: 0.04),
          "The part of the rate at the start."),
        finalKey(\.final),
      ])
    return Variant(
      "one_cycle", "A cosine up, then a longer one down.", section,
      make: {
        ScheduleSpec(
          .oneCycle(warmupFraction: $0.warmupFraction, start: $0.start, final: $0.final))
      },
      extract: { spec in
        guard case .oneCycle(let fraction, let start, let final) = spec.shape else { return nil }
        return Cycle(warmupFraction: fraction, start: start, final: final)
      })
  }
}
