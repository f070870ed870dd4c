import Graph

/// What training minimises: `softmax_cross_entropy`, `{kind: huber, delta: 1}`.
enum LossSection {
  static var format: Format<LossSpec> { choice.format }

  private static var choice: Choice<LossSpec> {
    Choice(
      noun: "loss", tagKey: "kind", example: "softmax_cross_entropy",
      variants: [
        softmax,
        sigmoid,
        Variant("mean_squared", "Squared difference, for real numbers.", .meanSquared),
        Variant("mean_absolute", "Absolute difference, for real numbers.", .meanAbsolute),
        huber, ctc,
      ])
  }

  private struct CrossEntropyOptions {
    var labelSmoothing = 0.0
    var classWeights: [Double]?
    var ignored: Int?
  }

  private static var softmax: Variant<LossSpec> {
    let section = Section(
      defaults: CrossEntropyOptions(),
      keys: [
        Key(
          "label_smoothing", \.labelSmoothing, .number(.from(0, below: 1), example: 0.1),
          "The share of a label's weight that is spread over all classes."),
        classWeights,
        Key(
          "ignore", \.ignored,
          Format<Int>.wholeNumber(.from(-1_000_000, to: 1_000_000), example: -1).optional,
          "The class of steps of a sequence that count in no mean; null: all steps count."),
      ])
    return Variant(
      "softmax_cross_entropy", "One class per sample or step, from logits.", section,
      make: {
        .softmaxCrossEntropy(
          labelSmoothing: $0.labelSmoothing, classWeights: $0.classWeights, ignored: $0.ignored)
      },
      extract: {
        guard case .softmaxCrossEntropy(let smoothing, let weights, let ignored) = $0 else {
          return nil
        }
        return CrossEntropyOptions(
          labelSmoothing: smoothing, classWeights: weights, ignored: ignored)
      })
  }

  private static var sigmoid: Variant<LossSpec> {
    let section = Section(
      defaults: CrossEntropyOptions(),
      keys: [classWeights])
    return Variant(
      "sigmoid_cross_entropy", "Yes or no for each output, from logits.", section,
      make: { .sigmoidCrossEntropy(classWeights: $0.classWeights) },
      extract: {
        guard case .sigmoidCrossEntropy(let weights) = $0 else { return nil }
        return CrossEntropyOptions(classWeights: weights)
      })
  }

  private static var classWeights: Key<CrossEntropyOptions> {
    let weights = Format.number(.above(0), example: 1)
      .list("a list of numbers above 0, one per class", example: "[1, 2.5]")
    return Key(
      "class_weights", \.classWeights, weights.optional,
      "The weight of each class in the loss; of a yes, where the answers are yes or no.")
  }

  private static var huber: Variant<LossSpec> {
    let section = Section(
      defaults: 1.0, mainKey: "delta",
      keys: [
        Key(
          "delta", \.self, .number(.above(0), example: 1),
          "The difference up to which the loss is quadratic.")
      ])
    return Variant(
      "huber", "Quadratic near zero, linear beyond.", section, make: { .huber(delta: $0) },
      extract: { if case .huber(let delta) = $0 { delta } else { nil } })
  }

  private static var ctc: Variant<LossSpec> {
    let section = Section(
      defaults: 0, mainKey: "labels",
      keys: [
        Key(
          "labels", \.self, .wholeNumber(.atLeast(1), example: 20),
          "The most labels of a sample; shorter lists are filled up with -1.", isRequired: true)
      ])
    return Variant(
      "ctc", "A list of labels that the steps spell, from logits with the blank as class 0.",
      section, make: { .ctc(labels: $0) },
      extract: { if case .ctc(let labels) = $0 { labels } else { nil } })
  }
}
