import Graph

/// Layers of sequences.
extension LayerChoice {
  static var sequences: [Variant<LayerSpec>] {
    [
      embedding, tiedDense, positions,
      recurrent(
        "rnn", "A simple recurrent layer, h = tanh(W x + U h + b).", .tanh,
        cellKeys: [rnnActivation]),
      recurrent("lstm", "A layer with cells that remember (LSTM).", .lstm, cellKeys: [forgetBias]),
      recurrent(
        "gru", "A layer of gated units (GRU).", .gru(resetAfter: true), cellKeys: [resetAfter]),
      attention, convolution1d, masking,
      plain("class_token", "One more step at the front, trained.", .classToken),
      plain("first_step", "The first step of a sequence.", .firstStep),
      plain("last_step", "The last step of a sequence.", .lastStep),
    ]
  }

  private static var embedding: Variant<LayerSpec> {
    layer(
      "embedding", "A row of a table for each token.", EmbeddingSpec(vocabulary: 0, units: 0),
      [
        Key(
          "vocabulary", \.vocabulary, .wholeNumber(.atLeast(1), example: 65),
          "How many different tokens there are, numbered from 0.", isRequired: true),
        Key(
          "units", \.units, .wholeNumber(.atLeast(1), example: 128), "The length of a row.",
          isRequired: true),
        Key(
          "weight_initializer", \.weightInitializer, InitializerSection.format,
          "First weights."),
      ],
      make: LayerKind.embedding
    ) {
      if case .embedding(let spec) = $0 { spec } else { nil }
    }
  }

  private static var tiedDense: Variant<LayerSpec> {
    layer(
      "tied_dense", "A dense layer without bias that shares the weights of an embedding.", "",
      main: "embedding",
      [
        Key(
          "embedding", \.self, .text("the name of an embedding", example: "tokens"),
          "The name of the embedding.", isRequired: true)
      ],
      make: { .tiedDense(embedding: $0) }
    ) {
      if case .tiedDense(let name) = $0 { name } else { nil }
    }
  }

  private struct Positions {
    var isLearned = true
    var initializer = Initializer.normal(mean: 0, deviation: 0.02)

    var encoding: PositionEncoding { isLearned ? .learned(initializer) : .sinusoidal }
  }

  private static var positions: Variant<LayerSpec> {
    layer(
      "positions", "Adds to each step where in the sequence it is.", Positions(), main: "kind",
      [
        Key(
          "kind", \.isLearned, .word(["learned": true, "sinusoidal": false]),
          "A trained table, or sines and cosines."),
        Key(
          "weight_initializer", \.initializer, InitializerSection.format,
          "First weights of the table."),
      ],
      make: { .positions($0.encoding) }
    ) {
      switch $0 {
      case .positions(.learned(let initializer)):
        Positions(isLearned: true, initializer: initializer)
      case .positions(.sinusoidal): Positions(isLearned: false)
      default: nil
      }
    }
  }

  private static func recurrent(
    _ name: String, _ documentation: String, _ cell: RecurrentCell, cellKeys: [Key<RecurrentSpec>]
  ) -> Variant<LayerSpec> {
    layer(
      name, documentation, RecurrentSpec(cell: cell, units: 0), main: "units",
      [
        Key(
          "units", \.units, .wholeNumber(.atLeast(1), example: 128), "The length of the state.",
          isRequired: true),
        Key(
          "layers", \.layers, .wholeNumber(.atLeast(1), example: 2), "How many, one on the other."),
        Key(
          "bidirectional", \.isBidirectional, .truth,
          "Whether a second walk from the end joins its outputs."),
        Key(
          "return", \.outputs, .word(["sequence": .sequence, "last": .last]),
          "The state after every step, or after the walk."),
        Key(
          "dropout", \.dropout, .number(.from(0, below: 1), example: 0.2),
          "The probability of dropping between layers."),
        Key("bias", \.bias, .truth, "Whether biases are added."),
        Key(
          "carry", \.carriesState, .truth,
          "Whether each window of the data starts from the state that the window before it ended with, in place of zeros; "
            + "gradients end where the window starts (truncated back-propagation through time).",
          isWritten: \.carriesState),
      ] + cellKeys + [
        initializer("weight_initializer", \.weightInitializer, "First weights of the inputs"),
        initializer("recurrent_initializer", \.recurrentInitializer, "First weights of the state"),
      ],
      make: LayerKind.recurrent,
      extract: {
        guard case .recurrent(let spec) = $0, spec.cell.isKind(of: cell) else { return nil }
        return spec
      },
      check: checkCarrying)
  }

  /// A walk from the end has nothing before it but the future.
  private static func checkCarrying(
    _ spec: RecurrentSpec, _ site: SectionSite, _ faults: inout Faults
  ) {
    guard spec.carriesState, spec.isBidirectional else { return }
    faults.add(
      at: site.place(of: "carry"), path: join(site.path, "carry"),
      "\(site.path).carry is true, but the layer is bidirectional",
      expected: "a walk in one direction, which the next window can go on with",
      remedy: "remove carry, or bidirectional")
  }

  private static func initializer<Root>(
    _ name: String, _ property: WritableKeyPath<Root, Initializer?>, _ documentation: String
  ) -> Key<Root> {
    Key(
      name, property, InitializerSection.format.optional,
      "\(documentation); null: xavier_uniform.")
  }

  private static var rnnActivation: Key<RecurrentSpec> {
    Key("activation", \.cell, .word(["tanh": .tanh, "relu": .relu]), "What follows the sum.")
  }

  private static var forgetBias: Key<RecurrentSpec> {
    Key(
      "forget_bias", \.forgetBias, .number(example: 1),
      "The first bias of the forget gates; 1 lets gradients through from the start.")
  }

  private static var resetAfter: Key<RecurrentSpec> {
    Key(
      "reset", \.cell,
      .word(["after": .gru(resetAfter: true), "before": .gru(resetAfter: false)]),
      "Whether the reset gate acts after the product with the state (PyTorch, cuDNN) or before it (as published)."
    )
  }

  private static var attention: Variant<LayerSpec> {
    layer(
      "attention", "Every step looks at all others, or at those of a memory, with several heads.",
      AttentionSpec(heads: 1),
      main: "heads",
      [
        Key(
          "heads", \.heads, .wholeNumber(.atLeast(1), example: 8),
          "Into how many parts the channels are divided.", isRequired: true),
        Key(
          "memory", \.memory, nameFormat.optional,
          "The name of a layer before it, or of an input, that keys and values are made of (cross attention); null: the "
            + "layer's own input (self-attention)."),
        Key("causal", \.isCausal, .truth, "Whether a step sees only itself and those before it."),
        Key("bias", \.bias, .truth, "Whether biases are added."),
        Key(
          "rotary_base", \.rotaryBase, Format.number(.above(1), example: 10_000).optional,
          "Turns queries and keys by their position (RoPE) with this base; null: no turning."),
        initializer(
          "weight_initializer", \.weightInitializer, "First weights of queries, keys and values"),
        initializer("output_initializer", \.outputInitializer, "First weights of the output"),
      ],
      make: LayerKind.attention
    ) {
      if case .attention(let spec) = $0 { spec } else { nil }
    }
  }

  private static var masking: Variant<LayerSpec> {
    layer(
      "masking", "Finds where sequences end that are padded at the end, for the layers behind it.",
      0.0, main: "value",
      [Key("value", \.self, .number(example: 0), "The number that padding consists of.")],
      make: { .masking(value: $0) }
    ) {
      if case .masking(let value) = $0 { value } else { nil }
    }
  }

  private static var convolution1d: Variant<LayerSpec> {
    let whole = Format<Int>.wholeNumber(.atLeast(1), example: 3)
    return layer(
      "conv1d", "A convolution over the steps of a sequence.",
      Conv1DSpec(filters: 0, kernel: 0),
      [
        Key("filters", \.filters, whole, "The number of output channels.", isRequired: true),
        Key("kernel", \.kernel, whole, "Steps of the window.", isRequired: true),
        Key("stride", \.stride, whole, "Steps between two windows."),
        Key(
          "padding", \.padding, .sequencePadding,
          "Zeros around the sequence; causal puts all of them before it."),
        Key("dilation", \.dilation, whole, "Steps between two taps of a window."),
        Key("groups", \.groups, .groups, "Independent convolutions that share the channels."),
        Key("bias", \.bias, .truth, "Whether a bias is added."),
        initializer("weight_initializer", \.weightInitializer, "First weights"),
      ],
      make: LayerKind.conv1d
    ) {
      if case .conv1d(let spec) = $0 { spec } else { nil }
    }
  }
}

extension RecurrentCell {
  /// Whether both are the same but for their options.
  fileprivate func isKind(of other: RecurrentCell) -> Bool {
    switch (self, other) {
    case (.tanh, .tanh), (.relu, .tanh), (.lstm, .lstm), (.gru, .gru): true
    default: false
    }
  }
}

extension Format where Value == SequencePadding {
  static var sequencePadding: Format<SequencePadding> {
    let words = Format.word(["same": .same, "valid": .valid, "causal": .causal])
    let amount = Format<Int>.wholeNumber(.atLeast(0), example: 1)
    let expectation = "same, valid, causal, or \(amount.expectation)"
    return Format(
      expectation: expectation, example: "same",
      read: { node, path, faults in
        if let padding = words.known(node) { return padding }
        if let count = amount.known(node) { return .amount(count) }
        faults.mismatch(node, path, expected: expectation, example: "same")
        return nil
      },
      write: { padding in
        if case .amount(let count) = padding { amount.write(count) } else { words.write(padding) }
      })
  }
}
