import Graph

/// The first values of a parameter: `he_normal`, `{normal: {deviation: 0.01}}`.
enum InitializerSection {
  static var format: Format<Initializer> { choice.format }

  private static var choice: Choice<Initializer> {
    Choice(
      noun: "initializer", example: "he_normal",
      variants: [
        Variant("zeros", "All zero.", .zeros),
        constant,
        normal("normal", "Normal distribution.", make: Initializer.normal) {
          if case .normal(let mean, let deviation) = $0 { (mean, deviation) } else { nil }
        },
        normal(
          "truncated_normal", "Normal distribution within two deviations.",
          make: Initializer.truncatedNormal
        ) {
          if case .truncatedNormal(let mean, let deviation) = $0 { (mean, deviation) } else { nil }
        },
        uniform,
        Variant("xavier_normal", "Variance 2 / (fan in + fan out).", .xavierNormal),
        Variant("xavier_uniform", "Variance 2 / (fan in + fan out).", .xavierUniform),
        Variant("he_normal", "Variance 2 / fan in.", .heNormal),
        Variant("he_uniform", "Variance 2 / fan in.", .heUniform),
        stretches,
      ])
  }

  private static var stretches: Variant<Initializer> {
    let values = Format.number(example: 1).list("a list of numbers", example: "[0, 1, 0, 0]")
    let section = Section(
      defaults: [Double](), mainKey: "values",
      keys: [Key("values", \.self, values, "One value per stretch.", isRequired: true)])
    return Variant(
      "stretches", "Stretches of equal length, each of one value.", section,
      make: Initializer.stretches
    ) {
      if case .stretches(let values) = $0 { values } else { nil }
    }
  }

  private static var constant: Variant<Initializer> {
    let section = Section(
      defaults: 0.0, mainKey: "value",
      keys: [
        Key("value", \.self, .number(example: 0.1), "The value of every element.", isRequired: true)
      ])
    return Variant("constant", "One value.", section, make: Initializer.constant) {
      if case .constant(let value) = $0 { value } else { nil }
    }
  }

  private struct NormalOptions {
    var mean = 0.0
    var deviation = 0.01
  }

  private static func normal(
    _ name: String, _ documentation: String,
    make: @escaping (_ mean: Double, _ deviation: Double) -> Initializer,
    extract: @escaping (Initializer) -> (Double, Double)?
  ) -> Variant<Initializer> {
    let section = Section(
      defaults: NormalOptions(),
      keys: [
        Key("mean", \.mean, .number(example: 0), "The mean."),
        Key("deviation", \.deviation, .number(.above(0), example: 0.01), "The standard deviation."),
      ])
    return Variant(
      name, documentation, section, make: { make($0.mean, $0.deviation) },
      extract: { extract($0).map { NormalOptions(mean: $0.0, deviation: $0.1) } })
  }

  private struct UniformOptions {
    var low = -0.05
    var high = 0.05
  }

  private static var uniform: Variant<Initializer> {
    let section = Section(
      defaults: UniformOptions(),
      keys: [
        Key("low", \.low, .number(example: -0.05), "The lower end."),
        Key("high", \.high, .number(example: 0.05), "The upper end."),
      ],
      check: { options, site, faults in
        guard site.isSound("low", "high", in: faults), options.low >= options.high else { return }
        let low = NumberText(options.low)
        let high = NumberText(options.high)
        faults.add(
          at: site.place(of: "low"), path: join(site.path, "low"),
          "\(site.path) runs from \(low) to \(high)", expected: "low below high",
          remedy: "exchange the two, or use {constant: \(low)}")
      })
    return Variant(
      "uniform", "Uniform distribution.", section,
      make: { Initializer.uniform(low: $0.low, high: $0.high) },
      extract: {
        if case .uniform(let low, let high) = $0 {
          UniformOptions(low: low, high: high)
        } else {
          nil
        }
      })
  }
}
