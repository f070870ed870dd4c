import Graph

/// The network: the shape of a sample and the layers.
enum ModelSection {
  static var section: Section<ModelSpec> {
    var layers = LayerChoice.list()
    layers.describe = { LayerChoice.describe(path: join($0, "N")) }
    return Section(
      defaults: ModelSpec(input: [], layers: []),
      keys: [
        Key(
          "input", \.sampleInput, SampleInput.format,
          "The shape of one sample, without the batch; or a table of several inputs with names.",
          isRequired: true),
        Key(
          "blocks", \.expandedBlocks, BlockKeys.format,
          "Building blocks that layers may use by name; see below.", isWritten: { _ in false }),
        Key("layers", \.layers, layers, "The layers, first to last.", isRequired: true),
        Key(
          "batch_norm_statistics", \.batchNormStatistics, .batchNormStatistics,
          "What batch norms normalise by in training that do not say it: the samples of a micro-shard, or the "
            + "whole batch (as many ranks as training.shards)."),
      ])
  }
}

/// What a sample is: one input, or several with names.
private enum SampleInput {
  case shape([Int])
  case named([NamedInput])

  static var format: Format<SampleInput> {
    Format(
      expectation: shape.expectation, example: shape.example,
      read: { node, path, faults in
        guard let entries = node.entries, !entries.isEmpty else {
          return shape.read(node, path, &faults).map { .shape($0) }
        }
        let inputs = entries.map { read($0, path, &faults) }
        return inputs.contains { $0 == nil } ? nil : .named(inputs.compactMap { $0 })
      },
      write: { input in
        switch input {
        case .shape(let lengths): shape.write(lengths)
        case .named(let inputs): .table(inputs.map { ($0.name, shape.write($0.shape)) })
        }
      },
      describe: describe, type: { shape.expectation })
  }

  private static var shape: Format<[Int]> {
    Format<Int>.wholeNumber(.atLeast(1), example: 28).oneOrMore(
      "the shape of a sample, [height, width, channels] or [columns]", example: "[28, 28, 1]")
  }

  private static func read(
    _ entry: ConfigurationNode.TableEntry, _ path: String, _ faults: inout Faults
  ) -> NamedInput? {
    let names = LayerChoice.nameFormat
    if names.known(.plain(entry.key)) == nil {
      faults.add(
        at: entry.keyPlace, path: join(path, entry.key),
        "\(path) has an input called \"\(entry.key)\"", expected: names.expectation,
        remedy: "choose another name")
      return nil
    }
    return shape.read(entry.value, join(path, entry.key), &faults).map {
      NamedInput(entry.key, $0)
    }
  }

  private static func describe(_ path: String) -> [ConfigurationKey] {
    [
      ConfigurationKey(
        path: "\(path).NAME", type: shape.expectation, default: "none",
        documentation:
          "One of several inputs, whose numbers follow each other in a sample. The first layer reads the first of them; "
          + "`from`, `with`, `memory` and loss targets name them.")
    ]
  }
}

extension ModelSpec {
  fileprivate var sampleInput: SampleInput {
    get { inputs.isEmpty ? .shape(input) : .named(inputs) }
    set {
      let layers = layers
      let statistics = batchNormStatistics
      self =
        switch newValue {
        case .shape(let shape): ModelSpec(input: shape, layers: layers)
        case .named(let inputs): ModelSpec(inputs: inputs, layers: layers)
        }
      batchNormStatistics = statistics
    }
  }
}

/// What the documentation says of blocks. When sections are read, `BlockExpansion` has replaced them all.
private enum BlockKeys {
  static var format: Format<Void> {
    Format(
      expectation: "a table of blocks", example: "{}", read: { _, _, _ in () },
      write: { .null }, describe: describe, type: { "a table of blocks by their names" })
  }

  private static func describe(_ path: String) -> [ConfigurationKey] {
    [
      ConfigurationKey(
        path: "\(path).NAME.parameters", type: "a table of names and defaults", default: "none",
        documentation: "What a use of the block may set; null: it must."),
      ConfigurationKey(
        path: "\(path).NAME.layers", type: "a list of layers", default: "required",
        documentation:
          "The block's layers, with `$parameter` or a formula such as `$filters * 4` as a value."),
    ]
  }
}

extension ModelSpec {
  /// Nothing is left of blocks in a model.
  fileprivate var expandedBlocks: Void {
    get { () }
    set {}
  }
}
