import Graph

/// Layers of image networks: gates, norms, dropout by channel, and changes of an image's extents.
extension LayerChoice {
  static var imaging: [Variant<LayerSpec>] {
    [
      squeezeExcitation, stochasticDepth, spatialDropout, groupNorm, instanceNorm,
      localResponseNorm, transposedConvolution, upsample, adaptiveAveragePool, prelu,
    ]
  }

  private static var squeezeExcitation: Variant<LayerSpec> {
    layer(
      "squeeze_excitation",
      "Weighs channels by a small network of their means: dense fc1, activation, dense fc2, gate.",
      SqueezeExcitationSpec(), main: "reduction",
      [
        Key(
          "reduction", \.reduction, .wholeNumber(.atLeast(1), example: 16),
          "The channels, divided by those between the two dense layers."),
        Key(
          "channels", \.channels, Format.wholeNumber(.atLeast(1), example: 8).optional,
          "The channels between them, in place of reduction."),
        Key(
          "activation", \.activation,
          .word(["relu": .relu, "silu": .silu, "hard_swish": .hardSwish, "relu6": .relu6]),
          "What follows fc1."),
        Key(
          "gate", \.gate, .word(["sigmoid": .sigmoid, "hard_sigmoid": .hardSigmoid]),
          "What follows fc2."),
      ],
      make: LayerKind.squeezeExcitation
    ) {
      if case .squeezeExcitation(let spec) = $0 { spec } else { nil }
    }
  }

  private static func rate(_ meaning: String) -> Key<Double> {
    Key("rate", \.self, .number(.from(0, below: 1), example: 0.2), meaning, isRequired: true)
  }

  private static var stochasticDepth: Variant<LayerSpec> {
    layer(
      "stochastic_depth",
      "Zeroes whole samples at random in training: at the end of a residual's main path.",
      0.0, main: "rate", [rate("The probability of dropping a sample.")],
      make: { .stochasticDepth(rate: $0) }
    ) {
      if case .stochasticDepth(let rate) = $0 { rate } else { nil }
    }
  }

  private static var spatialDropout: Variant<LayerSpec> {
    layer(
      "spatial_dropout", "Zeroes whole channels of a sample at random in training.", 0.0,
      main: "rate", [rate("The probability of dropping a channel.")],
      make: { .spatialDropout(rate: $0) }
    ) {
      if case .spatialDropout(let rate) = $0 { rate } else { nil }
    }
  }

  private static var groupNorm: Variant<LayerSpec> {
    layer(
      "group_norm", "Normalises groups of channels over each sample.", GroupNormSpec(groups: 1),
      main: "groups",
      [
        Key(
          "groups", \.groups, .wholeNumber(.atLeast(1), example: 8), "The number of groups.",
          isRequired: true),
        Key("epsilon", \.epsilon, epsilon, "Added to the variance."),
      ],
      make: LayerKind.groupNorm
    ) {
      if case .groupNorm(let spec) = $0 { spec } else { nil }
    }
  }

  private static var instanceNorm: Variant<LayerSpec> {
    layer(
      "instance_norm", "Normalises each channel over each sample.", InstanceNormSpec(),
      [
        Key("epsilon", \.epsilon, epsilon, "Added to the variance."),
        Key("affine", \.affine, .truth, "Whether a scale and a shift per channel are trained."),
      ],
      make: LayerKind.instanceNorm
    ) {
      if case .instanceNorm(let spec) = $0 { spec } else { nil }
    }
  }

  private static var epsilon: Format<Double> { .number(.above(0), example: 0.00001) }

  private static var localResponseNorm: Variant<LayerSpec> {
    layer(
      "local_response_norm",
      "Divides by (k + alpha / size times the sum of squares of neighbouring channels)^beta.",
      LocalResponseNormSpec(size: 1), main: "size",
      [
        Key(
          "size", \.size, .wholeNumber(.atLeast(1), example: 5), "The channels of a window.",
          isRequired: true),
        Key(
          "alpha", \.alpha, .number(.atLeast(0), example: 0.0001),
          "The weight of the mean square."),
        Key("beta", \.beta, .number(.atLeast(0), example: 0.75), "The exponent."),
        Key("k", \.k, .number(.above(0), example: 2), "Added to the mean square."),
      ],
      make: LayerKind.localResponseNorm
    ) {
      if case .localResponseNorm(let spec) = $0 { spec } else { nil }
    }
  }

  private static var transposedConvolution: Variant<LayerSpec> {
    layer(
      "conv_transpose2d", "A transposed convolution: makes an image larger.",
      ConvTranspose2DSpec(filters: 0, kernel: Extent(1)),
      [
        Key(
          "filters", \.filters, .wholeNumber(.atLeast(1), example: 32),
          "The number of output channels.", isRequired: true),
        Key(
          "kernel", \.kernel, .extent(example: 4), "The window's rows and columns.",
          isRequired: true),
        Key("stride", \.stride, .extent(example: 2), "How many rows and columns one becomes."),
        Key(
          "padding", \.padding, .padding,
          "Taken off the output on each side; same: the output is the input times the stride."),
        Key(
          "output_padding", \.outputPadding, .extent(.atLeast(0), example: 1),
          "Rows and columns added at the end of the output."),
        Key("dilation", \.dilation, .extent(example: 2), "Pixels between two taps of a window."),
        Key(
          "groups", \.groups, .wholeNumber(.atLeast(1), example: 2),
          "Independent convolutions that share the channels."),
        Key("bias", \.bias, .truth, "Whether a bias is added."),
        weights(\.weightInitializer),
        biases(\.biasInitializer),
      ],
      make: LayerKind.convTranspose2d
    ) {
      if case .convTranspose2d(let spec) = $0 { spec } else { nil }
    }
  }

  private static var upsample: Variant<LayerSpec> {
    layer(
      "upsample", "Makes an image larger by whole factors.", UpsampleSpec(factor: Extent(1)),
      main: "factor",
      [
        Key(
          "factor", \.factor, .extent(example: 2), "How many rows and columns one becomes.",
          isRequired: true),
        Key(
          "mode", \.mode, .word(["nearest": .nearest, "bilinear": .bilinear]),
          "nearest repeats pixels, bilinear goes between their centres (align_corners=False)."),
      ],
      make: LayerKind.upsample
    ) {
      if case .upsample(let spec) = $0 { spec } else { nil }
    }
  }

  private static var adaptiveAveragePool: Variant<LayerSpec> {
    layer(
      "adaptive_average_pool", "Means over as many windows as the output has pixels.", Extent(1),
      main: "size",
      [
        Key(
          "size", \.self, .extent(example: 7), "Rows and columns of the output.",
          isRequired: true)
      ],
      make: LayerKind.adaptiveAveragePool
    ) {
      if case .adaptiveAveragePool(let size) = $0 { size } else { nil }
    }
  }

  private static var prelu: Variant<LayerSpec> {
    layer(
      "prelu", "y = x above 0, else a x with a trained slope a.", PReLUSpec(),
      [
        Key("initial", \.initialSlope, .number(example: 0.25), "The first slopes."),
        Key("shared", \.isShared, .truth, "Whether all channels have one slope."),
      ],
      make: LayerKind.prelu
    ) {
      if case .prelu(let spec) = $0 { spec } else { nil }
    }
  }
}
