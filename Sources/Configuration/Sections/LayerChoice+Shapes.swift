import Graph

/// Layers without weights: pooling, reshaping, activations; and layers made of layers.
extension LayerChoice {
  static var pooling: [Variant<LayerSpec>] {
    [
      layer(
        "max_pool", "The largest value of each window.", PoolSpec(size: Extent(1)), main: "size",
        windowKeys, make: LayerKind.maxPool
      ) {
        if case .maxPool(let spec) = $0 { spec } else { nil }
      },
      layer(
        "average_pool", "The mean of each window.", PoolSpec(size: Extent(1)), main: "size",
        windowKeys + [
          Key(
            "count_padding", \.countsPadding, .truth,
            "Whether zeros of the padding count in the mean.")
        ], make: LayerKind.averagePool
      ) {
        if case .averagePool(let spec) = $0 { spec } else { nil }
      },
      plain("global_average_pool", "The mean of each channel.", .globalAveragePool),
    ]
  }

  private static var windowKeys: [Key<PoolSpec>] {
    [
      Key("size", \.size, .extent(example: 2), "The window's rows and columns.", isRequired: true),
      Key(
        "stride", \.stride, Format.extent(example: 2).optional,
        "Pixels between two windows; null: as the size."),
      Key("padding", \.padding, .padding, paddingMeaning),
    ]
  }

  static var shaping: [Variant<LayerSpec>] {
    let sizes = Format<Int>.wholeNumber(.atLeast(1), example: 7)
      .oneOrMore("a list of sizes above 0", example: "[7, 7, 64]")
    return [
      layer(
        "flatten", "An image as one row.", FlattenOrder.channelsFirst, main: "order",
        [
          Key(
            "order", \.self,
            .word(["channels_first": .channelsFirst, "channels_last": .channelsLast]),
            "channels_first as in PyTorch, channels_last as in Keras.")
        ],
        make: LayerKind.flatten
      ) {
        if case .flatten(let order) = $0 { order } else { nil }
      },
      layer(
        "reshape", "The same numbers in another shape.", [Int](), main: "shape",
        [Key("shape", \.self, sizes, "The new shape of a sample.", isRequired: true)],
        make: LayerKind.reshape
      ) {
        if case .reshape(let shape) = $0 { shape } else { nil }
      },
    ]
  }

  static var activations: [Variant<LayerSpec>] {
    [
      plain("identity", "y = x", .activation(.identity)),
      plain("sigmoid", "y = 1 / (1 + exp(-x))", .activation(.sigmoid)),
      plain("tanh", "y = tanh(x)", .activation(.tanh)),
      plain("relu", "y = max(x, 0)", .activation(.relu)),
      layer(
        "leaky_relu", "y = x above 0, else slope x", 0.01, main: "slope",
        [Key("slope", \.self, .number(.atLeast(0), example: 0.01), "The slope below 0.")],
        make: { .activation(.leakyRelu(slope: $0)) }
      ) {
        if case .activation(.leakyRelu(let slope)) = $0 { slope } else { nil }
      },
      layer(
        "elu", "y = x above 0, else alpha (exp(x) - 1)", 1.0, main: "alpha",
        [Key("alpha", \.self, .number(.above(0), example: 1), "The depth below 0.")],
        make: { .activation(.elu(alpha: $0)) }
      ) {
        if case .activation(.elu(let alpha)) = $0 { alpha } else { nil }
      },
      layer(
        "gelu", "y = x times the normal distribution function", Activation.gelu,
        [
          Key(
            "approximate", \.self, .word(["none": .gelu, "tanh": .geluTanh]),
            "none by erf, tanh by its usual approximation.")
        ],
        make: LayerKind.activation
      ) {
        switch $0 {
        case .activation(.gelu): .gelu
        case .activation(.geluTanh): .geluTanh
        default: nil
        }
      },
      plain("silu", "y = x sigmoid(x)", .activation(.silu)),
      plain("relu6", "y = min(max(x, 0), 6)", .activation(.relu6)),
      plain("hard_sigmoid", "y = min(max(x / 6 + 1/2, 0), 1)", .activation(.hardSigmoid)),
      plain("hard_swish", "y = x hard_sigmoid(x)", .activation(.hardSwish)),
      plain("softplus", "y = ln(1 + exp(x))", .activation(.softplus)),
      plain("softmax", "Probabilities that add up to 1.", .softmax),
    ]
  }
}

extension LayerChoice {
  static var containers: [Variant<LayerSpec>] { [residual, parallel, repeated, sequence] }

  private struct Residual {
    var main: [LayerSpec] = []
    var shortcut: [LayerSpec] = []
  }

  private static var residual: Variant<LayerSpec> {
    layer(
      "residual", "Adds the outputs of two paths.", Residual(),
      [
        Key("main", \.main, list(), "The layers of the main path.", isRequired: true),
        Key(
          "shortcut", \.shortcut, list(isEmptyAllowed: true),
          "The layers of the other path; none: the input itself."),
      ],
      make: { .residual(main: $0.main, shortcut: $0.shortcut) }
    ) {
      guard case .residual(let main, let shortcut) = $0 else { return nil }
      return Residual(main: main, shortcut: shortcut)
    }
  }

  private struct Parallel {
    var branches: [[LayerSpec]] = []
    var join = Join.concat
  }

  private static var parallel: Variant<LayerSpec> {
    let branches = list(isEmptyAllowed: true).list(
      "a list of branches, each a list of layers", example: "[[{conv2d: ...}], [{max_pool: ...}]]")
    return layer(
      "parallel", "Several paths side by side.", Parallel(),
      [
        Key("branches", \.branches, branches, "The layers of each path.", isRequired: true),
        Key(
          "join", \.join, .word(["concat": .concat, "add": .add, "multiply": .multiply]),
          "How the outputs become one; concat joins their channels."),
      ],
      make: { .parallel(branches: $0.branches, join: $0.join) }
    ) {
      guard case .parallel(let branches, let join) = $0 else { return nil }
      return Parallel(branches: branches, join: join)
    }
  }

  private struct Repeated {
    var times = 1
    var layers: [LayerSpec] = []
  }

  private static var repeated: Variant<LayerSpec> {
    layer(
      "repeat", "The same layers several times, each with weights of its own.", Repeated(),
      [
        Key(
          "times", \.times, .wholeNumber(.atLeast(1), example: 2), "How many times.",
          isRequired: true),
        Key("layers", \.layers, list(), "The layers to repeat.", isRequired: true),
      ],
      make: { .repeat(times: $0.times, layers: $0.layers) }
    ) {
      guard case .repeat(let times, let layers) = $0 else { return nil }
      return Repeated(times: times, layers: layers)
    }
  }
  private static var sequence: Variant<LayerSpec> {
    layer(
      "sequence", "Layers one after the other under one index or name; what a block becomes.",
      [LayerSpec](), main: "layers",
      [Key("layers", \.self, list(), "The layers, first to last.", isRequired: true)],
      make: LayerKind.sequence
    ) {
      if case .sequence(let layers) = $0 { layers } else { nil }
    }
  }
}
