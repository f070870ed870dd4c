import Graph

/// Layers that refer to others, and those that take a part of their input.
extension LayerChoice {
  static var references: [Variant<LayerSpec>] {
    [
      joined, shared,
      plain("stop_gradient", "Its input, through which no gradient goes back.", .stopGradient),
      select, channels,
      plain(
        "gaussian_sample",
        "A draw from N(mean, variance): the means are the first half of the channels, the logarithms of the variances the "
          + "second; the mean itself where the model is used.", .gaussianSample),
    ]
  }

  private static var joined: Variant<LayerSpec> {
    let names = nameFormat.oneOrMore(
      "the names of layers before it, or of inputs", example: "[stem]")
    return layer(
      "join", "The layer's input with the outputs of layers before it.", JoinSpec(sources: []),
      main: "with",
      [
        Key("with", \.sources, names, "Their names.", isRequired: true),
        Key(
          "by", \.join, .word(["concat": .concat, "add": .add, "multiply": .multiply]),
          "How they become one; concat joins their channels."),
      ],
      make: LayerKind.join
    ) {
      if case .join(let spec) = $0 { spec } else { nil }
    }
  }

  private static var shared: Variant<LayerSpec> {
    layer(
      "shared", "A layer before it once more, with the same parameters.", "", main: "layer",
      [Key("layer", \.self, nameFormat, "The name of that layer.", isRequired: true)],
      make: { .shared(layer: $0) }
    ) {
      if case .shared(let layer) = $0 { layer } else { nil }
    }
  }

  private static var select: Variant<LayerSpec> {
    layer(
      "select", "One entry along the first axis, [K, ...] to [...].", 0, main: "index",
      [
        Key(
          "index", \.self, .wholeNumber(.atLeast(0), example: 0), "Which one, from 0.",
          isRequired: true)
      ],
      make: { .select(index: $0) }
    ) {
      if case .select(let index) = $0 { index } else { nil }
    }
  }

  private static var channels: Variant<LayerSpec> {
    layer(
      "channels", "Some of the channels (the last axis).", ChannelRange(first: 0, count: 1),
      [
        Key("first", \.first, .wholeNumber(.atLeast(0), example: 0), "The first one, from 0."),
        Key(
          "count", \.count, .wholeNumber(.atLeast(1), example: 2), "How many.", isRequired: true),
      ],
      make: LayerKind.channels
    ) {
      if case .channels(let range) = $0 { range } else { nil }
    }
  }
}
