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
        Key("layers", \.layers, layers, "The layers, first to last.", isRequired: true),
        Key(
          "batch_norm_statistics", \.batchNormStatistics, .batchNormStatistics,
          "What batch norms normalise by in training that do not say it: the samples of a micro-shard, or the "
            + "whole batch (as many ranks as training.shards)."),
      ])
  }
}
