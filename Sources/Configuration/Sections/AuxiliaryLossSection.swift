import Graph

/// Losses inside of the network: `{of: code, loss: kl_divergence, weight: 0.1}`.
enum AuxiliaryLossSection {
  static var format: Format<[AuxiliaryLoss]> {
    section.format.placed.list(
      "a list of losses, each with the layer it is of",
      example: "[{of: head, loss: softmax_cross_entropy, weight: 0.3}]", isEmptyAllowed: true)
  }

  private static var section: Section<AuxiliaryLoss> {
    let target = LayerChoice.nameFormat.optional
    return Section(
      defaults: AuxiliaryLoss(.klDivergence, output: ""),
      keys: [
        Key(
          "of", \.output, LayerChoice.nameFormat, "The name of the layer whose output it judges.",
          isRequired: true),
        Key("loss", \.kind, choice.format, "What it measures.", isRequired: true),
        Key(
          "target", \.target, target,
          "The name of the layer that the output is compared with, or input; no gradient goes there.",
          shownDefault: "the data's targets"),
        Key(
          "weight", \.weight, .number(.above(0), example: 0.3), "Its factor beside the main loss."),
      ])
  }

  private static var choice: Choice<AuxiliaryLossKind> {
    let variants = LossSection.variants.filter { $0.name != "ctc" }.map { variant in
      variant.mapped(AuxiliaryLossKind.loss) { if case .loss(let loss) = $0 { loss } else { nil } }
    }
    return Choice(
      noun: "loss", tagKey: "kind", example: "softmax_cross_entropy",
      variants: variants + [
        Variant(
          "kl_divergence",
          "Of the normal distribution that gaussian_sample draws from to N(0, 1).", .klDivergence),
        Variant(
          "cosine", "1 less the cosine of the angle to the target, at each position.", .cosine),
        Variant("gram", "Between the Gram matrices of two images' features: their style.", .gram),
      ])
  }
}

extension Format<AuxiliaryLoss> {
  /// With the place of each in the config.
  fileprivate var placed: Format {
    var format = self
    format.read = { node, path, faults in
      var loss = read(node, path, &faults)
      loss?.place = node.place.description
      return loss
    }
    return format
  }
}
