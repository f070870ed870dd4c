import Graph

/// The network: the shape of a sample and the layers.
enum ModelSection {
  static var section: Section<ModelSpec> {
    let input = Format<Int>.wholeNumber(.atLeast(1), example: 28)
      .oneOrMore(
        "the shape of a sample, [height, width, channels] or [columns]", example: "[28, 28, 1]")
    var layers = LayerChoice.list()
    layers.describe = { LayerChoice.describe(path: join($0, "N")) }
    return Section(
      defaults: ModelSpec(input: [], layers: []),
      keys: [
        Key(
          "input", \.input, input, "The shape of one sample, without the batch.", isRequired: true),
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
