import Graph

/// Layers with weights and layers that normalise.
extension LayerChoice {
  static var linear: [Variant<LayerSpec>] { [dense, convolution] }

  private static var dense: Variant<LayerSpec> {
    layer(
      "dense", "Every output sees every input.", DenseSpec(units: 0), main: "units",
      [
        Key(
          "units", \.units, .wholeNumber(.atLeast(1), example: 10), "The number of outputs.",
          isRequired: true),
        Key("bias", \.bias, .truth, "Whether a bias is added."),
        weights(\.weightInitializer),
        biases(\.biasInitializer),
      ],
      make: LayerKind.dense
    ) {
      if case .dense(let spec) = $0 { spec } else { nil }
    }
  }

  private static var convolution: Variant<LayerSpec> {
    layer(
      "conv2d", "A convolution over an image.", Conv2DSpec(filters: 0, kernel: Extent(1)),
      [
        Key(
          "filters", \.filters, .wholeNumber(.atLeast(1), example: 32),
          "The number of output channels.", isRequired: true),
        Key(
          "kernel", \.kernel, .extent(example: 3), "The window's rows and columns.",
          isRequired: true),
        Key("stride", \.stride, .extent(example: 2), "Pixels between two windows."),
        Key("padding", \.padding, .padding, paddingMeaning),
        Key("dilation", \.dilation, .extent(example: 2), "Pixels between two taps of a window."),
        Key("groups", \.groups, .groups, "Independent convolutions that share the channels."),
        Key("bias", \.bias, .truth, "Whether a bias is added."),
        weights(\.weightInitializer),
        biases(\.biasInitializer),
      ],
      make: LayerKind.conv2d
    ) {
      if case .conv2d(let spec) = $0 { spec } else { nil }
    }
  }

  static let paddingMeaning =
    "Zeros around the image: same keeps its size (at stride 1), valid adds none."

  static func weights<Root>(_ property: WritableKeyPath<Root, Initializer?>) -> Key<Root> {
    Key(
      "weight_initializer", property, InitializerSection.format.optional,
      "First weights; null: he_normal before a relu-like activation, else xavier_uniform.")
  }

  static func biases<Root>(_ property: WritableKeyPath<Root, Initializer>) -> Key<Root> {
    var format = InitializerSection.format
    format.type = { "as weight_initializer" }
    return Key("bias_initializer", property, format, "First biases.")
  }

  static var normalizing: [Variant<LayerSpec>] {
    let epsilon = Format.number(.above(0), example: 0.00001)
    return [
      layer(
        "batch_norm", "Normalises each channel over the batch.", BatchNormSpec(),
        [
          Key(
            "momentum", \.momentum, .number(.above(0, to: 1), example: 0.1),
            "The weight of the newest batch in the running statistics."),
          Key("epsilon", \.epsilon, epsilon, "Added to the variance."),
          Key(
            "statistics", \.statistics, Format.batchNormStatistics.optional,
            "As model.batch_norm_statistics, for this layer.", isWritten: { $0.statistics != nil }),
        ],
        make: LayerKind.batchNorm
      ) {
        if case .batchNorm(let spec) = $0 { spec } else { nil }
      },
      layer(
        "layer_norm", "Normalises each sample over its channels.", LayerNormSpec(),
        [Key("epsilon", \.epsilon, epsilon, "Added to the variance.")], make: LayerKind.layerNorm
      ) {
        if case .layerNorm(let spec) = $0 { spec } else { nil }
      },
      layer(
        "rms_norm", "Scales each position by the root mean square of its channels.", RMSNormSpec(),
        [Key("epsilon", \.epsilon, epsilon, "Added to the mean square.")], make: LayerKind.rmsNorm
      ) {
        if case .rmsNorm(let spec) = $0 { spec } else { nil }
      },
      layer(
        "dropout", "Zeroes inputs at random in training.", 0.0, main: "rate",
        [
          Key(
            "rate", \.self, .number(.from(0, below: 1), example: 0.5),
            "The probability of dropping.", isRequired: true)
        ],
        make: { .dropout(rate: $0) }
      ) {
        if case .dropout(let rate) = $0 { rate } else { nil }
      },
    ]
  }
}

/// The shapes of windows.
extension Format where Value == Extent {
  static func extent(_ bounds: Bounds<Int> = .atLeast(1), example: Int) -> Format<Extent> {
    Format<Int>.wholeNumber(bounds, example: example).pair()
      .map({ Extent(height: $0.0, width: $0.1) }, from: { ($0.height, $0.width) })
  }
}

extension Format where Value == Padding {
  static var padding: Format<Padding> {
    let words = Format.word(["same": .same, "valid": .valid])
    let amount = Format<Extent>.extent(.atLeast(0), example: 1)
    let expectation = "same, valid, or \(amount.expectation)"
    return Format(
      expectation: expectation, example: "same",
      read: { node, path, faults in
        if node.items == nil, node.numberText == nil {
          if let padding = words.known(node) { return padding }
          faults.mismatch(node, path, expected: expectation, example: "same")
          return nil
        }
        return amount.read(node, path, &faults).map(Padding.amount)
      },
      write: { padding in
        if case .amount(let extent) = padding { amount.write(extent) } else { words.write(padding) }
      })
  }
}

extension Format where Value == BatchNormStatistics {
  static var batchNormStatistics: Format<BatchNormStatistics> {
    .word(["shard": .shard, "batch": .batch])
  }
}

extension Format where Value == ConvolutionGroups {
  static var groups: Format<ConvolutionGroups> {
    let count = Format<Int>.wholeNumber(.atLeast(1), example: 2)
    let expectation = "\(count.expectation), or depthwise"
    return Format(
      expectation: expectation, example: "depthwise",
      read: { node, path, faults in
        if node.text == "depthwise" { return .depthwise }
        if let count = count.known(node) { return .count(count) }
        faults.mismatch(node, path, expected: expectation, example: "depthwise")
        return nil
      },
      write: { groups in
        switch groups {
        case .count(let groups): count.write(groups)
        case .depthwise: .plain("depthwise")
        }
      })
  }
}
