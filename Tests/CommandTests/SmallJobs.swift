import Foundation

/// Jobs of a fraction of a second.
enum SmallJob {
  /// 203 samples in batches of 24: the ninth batch has eleven.
  static let table = """
    name: table
    data:
      format: csv
      train: table.csv
      targets: [warm, round, heavy]
      categorical: [colour]
      normalize: standardize
      dev: {count: 37}
      test: {fraction: 0.15}
    model:
      input: [5]
      layers:
        - dense: 16
        - batch_norm
        - relu
        - dropout: 0.2
        - dense: 3
    loss: sigmoid_cross_entropy
    optimizer: {kind: momentum, learning_rate: 0.1, nesterov: true, form: classical}
    schedule: {kind: cosine, warmup_steps: 5}
    training: {epochs: 3, batch: 24, shards: 8}

    """

  static let tableRows: String = {
    var text = "size,weight,colour,warm,round,heavy\n"
    for index in 0..<276 {
      let size = sin(Double(index) * 0.7) * 3
      let weight = cos(Double(index) * 0.3) + size / 4
      let colour = ["red", "green", "blue"][index % 3]
      text += "\(size),\(weight),\(colour),\(index % 3 == 0 ? 1 : 0),"
      text += "\(size > 0 ? 1 : 0),\(weight > 0.5 ? 1 : 0)\n"
    }
    return text
  }()

  /// 24 images of 4 x 4 in four classes.
  static let images = """
    name: images
    data:
      format: idx
      train: {images: images.idx, labels: labels.idx}
      normalize: standardize
    model:
      input: [4, 4, 1]
      layers:
        - conv2d: {filters: 3, kernel: 3}
        - relu
        - flatten
        - dense: 4
    loss: softmax_cross_entropy
    optimizer: {kind: sgd, learning_rate: 0.1}
    training: {epochs: 2, batch: 8}

    """

  /// EfficientNet's blocks on 203 small images: separable convolutions, squeeze-and-excitation, swish, batch norm by
  /// micro-shard, stochastic depth; the ninth batch has eleven.
  static let blocks = """
    name: blocks
    data: {format: generated, kind: images, shape: [12, 12, 3], classes: 3, samples: 240, test: {count: 37}}
    model:
      input: [12, 12, 3]
      blocks:
        conv:
          parameters: {filters: null, kernel: 1, stride: 1, groups: 1}
          layers:
            - conv2d:
                filters: $filters
                kernel: $kernel
                stride: $stride
                padding: ($kernel - 1) / 2
                groups: $groups
                bias: false
            - batch_norm
            - silu
        mbconv:
          parameters: {inputs: null, filters: null, kernel: 3, stride: 1}
          layers:
            - conv: $inputs * 3
            - conv: {filters: $inputs * 3, kernel: $kernel, stride: $stride, groups: depthwise}
            - squeeze_excitation: {channels: 2, activation: silu}
            - conv2d: {filters: $filters, kernel: 1, bias: false}
            - batch_norm
      layers:
        - conv: {filters: 8, kernel: 3}
        - mbconv: {inputs: 8, filters: 10, kernel: 5, stride: 2}
        - residual: {main: [{mbconv: {inputs: 10, filters: 10}}, {stochastic_depth: 0.3}]}
        - residual: {main: [{mbconv: {inputs: 10, filters: 10, kernel: 5}}, {stochastic_depth: 0.5}]}
        - conv: 16
        - global_average_pool
        - dropout: 0.2
        - dense: 3
    loss: softmax_cross_entropy
    optimizer: {kind: rmsprop, learning_rate: 0.002, weight_decay: 0.00001}
    training: {epochs: 2, batch: 24, shards: 8, ema_decay: 0.9}

    """

  /// An IDX file of bytes.
  static func idx(_ shape: [Int], _ data: [UInt8]) -> Data {
    Data([0, 0, 8, UInt8(shape.count)] + shape.flatMap { [0, 0, 0, UInt8($0)] } + data)
  }

  static let pixels = (0..<24 * 16).map { UInt8(truncatingIfNeeded: $0 &* 37) }
  static let labels = (0..<24).map { UInt8($0 % 4) }
}

extension Command {
  /// A folder with `table.yaml` and `table.csv`.
  static func table(sharesCache: Bool = false) throws -> Command {
    let command = try Command(sharesCache: sharesCache)
    try command.write(SmallJob.table, to: "table.yaml")
    try command.write(SmallJob.tableRows, to: "table.csv")
    return command
  }

  /// A folder with `images.yaml`, `images.idx` and `labels.idx`.
  static func images() throws -> Command {
    let command = try Command()
    try command.write(SmallJob.images, to: "images.yaml")
    try command.write(SmallJob.idx([24, 4, 4], SmallJob.pixels), to: "images.idx")
    try command.write(SmallJob.idx([24], SmallJob.labels), to: "labels.idx")
    return command
  }
}
