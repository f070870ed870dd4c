import Datasets

/// The formats of sequences.
extension DataSection {
  static var text: Variant<DataDraft> {
    variant(
      "text", "Windows of a text, each step's target the token after it.",
      TextSpec(train: [], window: 0),
      [
        Key(
          "train", \.train,
          PartSection.path("data/train.txt").oneOrMore(
            "the path of a file, or a list of them", example: "data/train.txt"),
          "The text to train on, plain or .gz; several files follow each other.",
          isRequired: true),
        Key(
          "level", \.level, textLevel,
          "What a token is. The vocabulary is the characters that occur, 256 bytes, or GPT-2's files.",
          aliases: ["vocabulary"]),
      ] + windowKeys(\.windows, \.window, \.stride),
      make: { .text($0) },
      extract: { if case .text(let files) = $0 { files } else { nil } })
  }

  /// Which tokens of a file are samples.
  private static func windowKeys<Own>(
    _ windows: WritableKeyPath<Own, WindowChoice>, _ window: WritableKeyPath<Own, Int>,
    _ stride: WritableKeyPath<Own, Int?>
  ) -> [Key<Own>] {
    [
      Key(
        "windows", windows, .word(["contiguous": .contiguous, "random": .random]),
        "Whether training windows start a stride apart, or as many of them anywhere, drawn anew in each epoch."
      ),
      Key(
        "window", window, .wholeNumber(.atLeast(1), example: 128), "Tokens of a sample.",
        isRequired: true),
      Key(
        "stride", stride, Format.wholeNumber(.atLeast(1), example: 1).optional,
        "Tokens between the starts of two windows; null: the window. 1 makes a sample of every start."
      ),
    ]
  }

  private static var textLevel: Format<TextLevel> {
    Choice(
      noun: "kind of token", example: "byte",
      variants: [
        Variant("character", "Unicode scalars.", TextLevel.character),
        Variant("byte", "256 bytes.", .byte),
        Variant(
          "byte_pair", "Bytes merged by GPT-2's files.", bytePairFiles, make: { .bytePair($0) },
          extract: { if case .bytePair(let files) = $0 { files } else { nil } }),
      ]
    ).format
  }

  private static var bytePairFiles: Section<BytePairFiles> {
    Section(
      defaults: BytePairFiles(vocabulary: "", merges: ""),
      keys: [
        Key(
          "vocab", \.vocabulary, PartSection.path("data/vocab.json"), "Tokens and their numbers.",
          isRequired: true),
        Key(
          "merges", \.merges, PartSection.path("data/merges.txt"),
          "Pairs of tokens, the most frequent first.", isRequired: true),
      ])
  }

  static var tokens: Variant<DataDraft> {
    variant(
      "tokens", "Windows of files of tokens, which are mapped and never read whole.",
      TokensSpec(train: "", vocabulary: 0, window: 0),
      [
        Key(
          "train", \.train, PartSection.path("data/train.bin"),
          "The tokens to train on: .npy of one axis, or .bin of unsigned 16-bit numbers.",
          isRequired: true),
        Key(
          "vocabulary", \.vocabulary, .wholeNumber(.atLeast(2), example: 50257),
          "How many different tokens there are.", isRequired: true),
        Key(
          "byte_pair", \.bytePair, bytePairFiles.format.optional,
          "What the tokens mean, for generate."),
      ] + windowKeys(\.windows, \.window, \.stride),
      make: { .tokens($0) },
      extract: { if case .tokens(let files) = $0 { files } else { nil } })
  }

  static var generatedSequences: Variant<DataDraft> {
    variant(
      "generated_sequences", "Sequences for learning and tests.",
      GeneratedSequencesSpec(kind: .series, samples: 1000, steps: 50),
      [
        Key(
          "kind", \.kind,
          .word([
            "series": .series, "tags": .tags, "padded_tags": .paddedTags, "trigger": .trigger,
            "symbols": .symbols, "dates": .dates,
          ]),
          "Waves to continue, tokens to tag (padded_tags: of different length), sounds to notice, symbols to spell, or "
            + "dates to write as YYYY-MM-DD.",
          isRequired: true),
        Key(
          "samples", \.samples, .wholeNumber(.atLeast(1), example: 1000),
          "How many, dev and test included."),
        Key(
          "steps", \.steps, .wholeNumber(.atLeast(1), example: 50),
          "Steps of a sample; of dates, of their human form."),
        Key(
          "noise", \.noise, .number(.atLeast(0), example: 0.1),
          "The largest difference that noise makes."),
      ],
      part: PartSection.cut, arePadded: true,
      make: { own, _, _ in .generatedSequences(own) },
      extract: { spec in
        guard case .generatedSequences(let generated) = spec.source else { return nil }
        return (generated, PartOptions(spec.dev), PartOptions(spec.test))
      })
  }

  static var timeSeries: Variant<DataDraft> {
    let columns = Format.text("the name of a column", example: "load").oneOrMore(
      "the name of a column, or a list of them", example: "[load, temperature]")
    let anyColumns = Format.text("the name of a column", example: "date").oneOrMore(
      "the name of a column, or a list of them", example: "[date, note]", isEmptyAllowed: true)
    return variant(
      "time_series", "Windows of a table whose rows follow each other in time.",
      SeriesSpec(train: "", targets: [], window: 0),
      [
        Key(
          "train", \.train, PartSection.path("data/train.csv"),
          "The file to train on, oldest row first.", isRequired: true),
        Key(
          "target", \.targets, columns, "The column to predict, or several of them.",
          aliases: ["targets"], isRequired: true),
        Key(
          "inputs", \.inputs, columns.optional,
          "Columns to learn from; null: all that are not ignored, targets included."),
        Key("ignore", \.ignored, anyColumns, "Columns to leave out."),
        Key("separator", \.separator, separator, "What stands between two columns."),
        Key(
          "window", \.window, .wholeNumber(.atLeast(1), example: 24), "Rows of a sample.",
          isRequired: true),
        Key(
          "horizon", \.horizon, .wholeNumber(.atLeast(1), example: 1),
          "Rows after the window that are predicted, all of them."),
        Key(
          "stride", \.stride, .wholeNumber(.atLeast(1), example: 1),
          "Rows between the starts of two windows."),
      ],
      hasColumnNamedTarget: true, make: { .series($0) },
      extract: { if case .series(let files) = $0 { files } else { nil } })
  }
}
