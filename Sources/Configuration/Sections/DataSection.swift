import Datasets

/// The data spec while the target's kind still waits for the loss.
struct DataDraft {
  var spec: DataSpec
  /// nil: what the loss implies.
  var target: TargetKind?
}

/// Where the samples come from: `{format: idx, train: {...}, normalize: standardize}`.
enum DataSection {
  static var format: Format<DataDraft> { choice.format }

  private static var choice: Choice<DataDraft> {
    Choice(
      noun: "data format", tagKey: "format", isNamedFormAllowed: false,
      example: "{format: idx, train: {images: ..., labels: ...}}",
      variants: [
        arrays("idx", "Images and labels as MNIST has them, plain or .gz.", .idx, isIDX: true),
        arrays("npy", "Arrays of NumPy.", .npy, isIDX: false), csv, text, generated,
        generatedSequences, timeSeries, tokens,
      ])
  }

  /// A format's own keys with what all formats share.
  private struct Options<Own> {
    var own: Own
    var dev: PartOptions?
    var test: PartOptions?
    /// Its source is a stand-in.
    var shared = DataSpec(source: .csv(CSVSpec(train: "", targets: [])))
    var target: TargetKind?
  }

  static func variant<Own>(
    _ name: String, _ documentation: String, _ defaults: Own, _ keys: [Key<Own>],
    part: Format<PartOptions>, isImages: Bool = false, arePadded: Bool = false,
    hasColumnNamedTarget: Bool = false,
    make: @escaping (Own, PartOptions?, PartOptions?) -> DataSource,
    extract: @escaping (DataSpec) -> (own: Own, dev: PartOptions?, test: PartOptions?)?
  ) -> Variant<DataDraft> {
    let parts = [
      Key("dev", \Options<Own>.dev, part.optional, "Samples to judge by while training."),
      Key("test", \.test, part.optional, "Samples to judge by at the end."),
    ]
    let shared = sharedKeys + (isImages ? [augmentKey] : []) + (arePadded ? [bucketsKey] : [])
    let section = Section(
      defaults: Options(own: defaults),
      keys: keys.map { $0.inside(\Options<Own>.own) } + parts
        + shared.map { $0.inside(\Options<Own>.shared) }
        + [targetKey(aliases: hasColumnNamedTarget ? [] : ["target"])],
      check: { checkCuts($0.dev, $0.test, $1, &$2) })
    return Variant(
      name, documentation, section,
      make: { options in
        var spec = options.shared
        spec.source = make(options.own, options.dev, options.test)
        spec.dev = PartSpec(options.dev)
        spec.test = PartSpec(options.test)
        return DataDraft(spec: spec, target: options.target)
      },
      extract: { draft in
        guard let parts = extract(draft.spec) else { return nil }
        return Options(
          own: parts.own, dev: parts.dev, test: parts.test, shared: draft.spec,
          target: draft.target)
      })
  }

  /// A format whose dev and test parts are files like the first, or cut off it.
  static func variant<Own: PartFiles>(
    _ name: String, _ documentation: String, _ defaults: Own, _ keys: [Key<Own>],
    hasColumnNamedTarget: Bool = false, make: @escaping (Own) -> DataSource,
    extract: @escaping (DataSource) -> Own?
  ) -> Variant<DataDraft> {
    variant(
      name, documentation, defaults, keys, part: PartSection.filePart,
      hasColumnNamedTarget: hasColumnNamedTarget,
      make: { own, dev, test in
        var own = own
        (own.dev, own.test) = (dev?.file, test?.file)
        return make(own)
      },
      extract: { spec in
        extract(spec.source).map {
          ($0, PartOptions(spec.dev, file: $0.dev), PartOptions(spec.test, file: $0.test))
        }
      })
  }

  private static var sharedKeys: [Key<DataSpec>] {
    [
      Key("normalize", \.normalization, normalization, "How inputs are scaled."),
      Key(
        "class_names", \.classNames,
        Format.text(example: "coat").list("a list of names", example: "[cat, dog]").optional,
        "Names of the classes for reports, in the order of their numbers."),
    ]
  }

  private static var normalization: Format<Normalization> {
    let divisor = Section(
      defaults: 1.0, mainKey: "by",
      keys: [Key("by", \.self, .number(.above(0), example: 255), "The divisor.", isRequired: true)])
    return Choice(
      noun: "normalization", example: "standardize",
      variants: [
        Variant("none", "As they are.", Normalization.none),
        Variant("standardize", "Mean 0 and deviation 1 over the training part.", .standardize),
        Variant("divide", "By a number.", divisor, make: { .divide(by: $0) }) {
          if case .divide(let divisor) = $0 { divisor } else { nil }
        },
      ]
    ).format
  }

  private static var augmentKey: Key<DataSpec> {
    let section = Section(
      defaults: AugmentSpec(),
      keys: [
        Key("flip_horizontal", \.flipHorizontal, .truth, "Mirrors every second image."),
        Key(
          "shift", \.shift, .wholeNumber(.atLeast(0), example: 2),
          "Moves images by up to so many pixels along each axis."),
      ])
    return Key(
      "augment", \.augment, section.format.optional, "Random changes of the training images.")
  }

  private static var bucketsKey: Key<DataSpec> {
    let expectation = "two or more numbers of steps, each larger than the one before"
    let steps = Format<Int>.wholeNumber(.atLeast(1), example: 16)
      .list(expectation, example: "[16, 32, 64]", isEmptyAllowed: true)
      .refined(expecting: expectation) { ends in
        ends.count != 1 && ends.count <= LengthBuckets.most
          && zip(ends, ends.dropFirst()).allSatisfy { $0 < $1 }
      }
    return Key(
      "buckets", \.lengthBuckets, steps,
      "Trains padded sequences of about the same length together, each batch no longer than one of these; the last is"
        + " the padded length.")
  }

  private static func targetKey<Own>(aliases: [String]) -> Key<Options<Own>> {
    let word = Format.word([
      "classes": TargetKind.classes, "multi_hot": .multiHot, "values": .values,
    ])
    return Key(
      "target_kind", \.target, word.optional,
      "One class, several yes or no, or numbers per sample.", aliases: aliases,
      shownDefault: "(as the loss needs)")
  }

  /// Two cuts must leave something to train on.
  private static func checkCuts(
    _ dev: PartOptions?, _ test: PartOptions?, _ site: SectionSite, _ faults: inout Faults
  ) {
    guard site.isSound("dev", "test", in: faults), let devFraction = dev?.fraction,
      let testFraction = test?.fraction, devFraction + testFraction >= 1
    else { return }
    faults.add(
      at: site.place(of: "dev"), path: join(site.path, "dev.fraction"),
      "dev and test together take \(NumberText(devFraction + testFraction)) of the samples",
      expected: "fractions whose sum is below 1, so that some are left to train on",
      remedy: "make data.dev.fraction or data.test.fraction smaller")
  }
}

/// The formats.
extension DataSection {
  private static func arrays(
    _ name: String, _ documentation: String, _ names: ArrayNames, isIDX: Bool
  ) -> Variant<DataDraft> {
    variant(
      name, documentation, ArrayFiles(inputs: "", targets: ""),
      [
        Key(
          "train", \.self, PartSection.arrays(names), "The files of the training samples.",
          isRequired: true)
      ],
      part: PartSection.part(names), isImages: true, arePadded: !isIDX,
      make: { train, dev, test in
        isIDX
          ? .idx(train: train, dev: dev?.arrays, test: test?.arrays)
          : .npy(train: train, dev: dev?.arrays, test: test?.arrays)
      },
      extract: { spec in
        switch spec.source {
        case .idx(let train, let dev, let test) where isIDX,
          .npy(let train, let dev, let test) where !isIDX:
          (train, PartOptions(spec.dev, arrays: dev), PartOptions(spec.test, arrays: test))
        default: nil
        }
      })
  }

  static var separator: Format<Character> {
    Format.text("one character", example: "\";\"")
      .refined(expecting: "one character", example: "\";\"") { $0.count == 1 }
      .map({ $0.first ?? "," }, from: { (character: Character) in String(character) })
  }

  private static var csv: Variant<DataDraft> {
    let columns = Format.text("the name of a column", example: "label")
      .oneOrMore("the name of a column, or a list of them", example: "[colour, shape]")
    let anyColumns = Format.text("the name of a column", example: "id").oneOrMore(
      "the name of a column, or a list of them", example: "[colour, shape]", isEmptyAllowed: true)
    return variant(
      "csv", "A table of text with a header line.", CSVSpec(train: "", targets: []),
      [
        Key(
          "train", \.train, PartSection.path("data/train.csv"), "The file of the training samples.",
          isRequired: true),
        Key(
          "target", \.targets, columns, "The column to predict, or several of them.",
          aliases: ["targets"], isRequired: true),
        Key("categorical", \.categorical, anyColumns, "Columns whose words become one-hot inputs."),
        Key("ignore", \.ignored, anyColumns, "Columns to leave out."),
        Key("separator", \.separator, separator, "What stands between two columns."),
      ],
      hasColumnNamedTarget: true, make: { .csv($0) },
      extract: { if case .csv(let files) = $0 { files } else { nil } })
  }

  private static var imageShape: Format<[Int]> {
    Format<Int>.wholeNumber(.atLeast(1), example: 32)
      .list("the shape of an image, [height, width, channels]", example: "[32, 32, 3]")
      .refined(expecting: "the shape of an image, [height, width, channels]") { $0.count == 3 }
  }

  private static var generated: Variant<DataDraft> {
    variant(
      "generated", "Points in the plane or images, for learning, tests and benchmarks.",
      GeneratedSpec(kind: .xor, samples: 1000, noise: 0.1),
      [
        Key(
          "kind", \.kind,
          .word([
            "xor": .xor, "flower": .flower, "spirals": .spirals, "moons": .moons, "blobs": .blobs,
            "images": .images,
          ]), "The shape of the classes.", isRequired: true),
        Key(
          "samples", \.samples, .wholeNumber(.atLeast(1), example: 1000),
          "How many, dev and test included."),
        Key(
          "noise", \.noise, .number(.atLeast(0), example: 0.1),
          "The standard deviation of the noise on the inputs."),
        Key(
          "classes", \.classes, .wholeNumber(.atLeast(2), example: 3),
          "For blobs, spirals and images; the others have two."),
        Key(
          "shape", \.shape, imageShape, "For images: height, width and channels.",
          isWritten: { $0.kind == .images }),
      ],
      part: PartSection.cut, make: { own, _, _ in .generated(own) },
      extract: { spec in
        guard case .generated(let generated) = spec.source else { return nil }
        return (generated, PartOptions(spec.dev), PartOptions(spec.test))
      })
  }
}
