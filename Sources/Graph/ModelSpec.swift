/// The network as the user wrote it, checked word by word but not yet for shapes.
package struct ModelSpec: Equatable, Sendable {
  /// One sample, without the batch: `[H, W, C]` or `[C]`; where inputs have names, all their numbers in one row.
  package var input: [Int]
  /// Inputs with names, which stand in a sample one after the other; empty: there is one, called `input`.
  package let inputs: [NamedInput]
  package var layers: [LayerSpec]
  /// Steps that `input` has fewer than the sequences that parameters are made for: see `cut(to:)`.
  package private(set) var cutSteps = 0
  /// For batch norms that do not say it themselves.
  package var batchNormStatistics = BatchNormStatistics.shard

  package init(input: [Int], layers: [LayerSpec]) {
    self.input = input
    inputs = []
    self.layers = layers
  }

  /// - Parameter inputs: The first is what the first layer reads.
  package init(inputs: [NamedInput], layers: [LayerSpec]) {
    input = [inputs.reduce(0) { $0 + $1.elementCount }]
    self.inputs = inputs
    self.layers = layers
  }
}

/// One of several inputs.
package struct NamedInput: Equatable, Sendable {
  package var name: String
  /// Without the batch.
  package var shape: [Int]

  package init(_ name: String, _ shape: [Int]) {
    self.name = name
    self.shape = shape
  }

  package var elementCount: Int { shape.reduce(1, *) }
}

extension ModelSpec {
  /// The same network, with the same parameters, for padded sequences none of which is longer than so many steps.
  ///
  /// Lowering it refuses what would give such sequences another result than at their full padded length.
  package func cut(to steps: Int) -> ModelSpec {
    var shorter = self
    shorter.cutSteps += input[0] - steps
    shorter.input[0] = steps
    return shorter
  }

  /// What layers refer to the model's input by.
  package static let inputName = "input"

  /// The batch norms with the statistics of the whole batch, in the order in which they are written.
  package var wholeBatchNorms: [LayerSpec] {
    layers.flatMap(\.withInner).filter { layer in
      guard case .batchNorm(let spec) = layer.kind else { return false }
      return (spec.statistics ?? batchNormStatistics) == .batch
    }
  }

  /// Layers that go on in each window where they ended the window before, in the order in which they are written.
  package var carryingLayers: [LayerSpec] {
    layers.flatMap(\.withInner).filter(\.carriesState)
  }

  /// Layers that turn tokens into channels, with the tokens that they know.
  package var embeddings: [(layer: LayerSpec, words: Int)] {
    layers.flatMap(\.withInner).compactMap { layer in
      if case .embedding(let spec) = layer.kind { (layer, spec.vocabulary) } else { nil }
    }
  }
}

/// One entry of a list of layers.
package struct LayerSpec: Equatable, Sendable {
  package var kind: LayerKind
  /// Replaces the index in parameter names: `layers.stem.weight` instead of `layers.0.weight`.
  package var name: String?
  /// The layer whose output it takes; nil: the one before it.
  package var source: String?
  /// Whether its parameters, and those of the layers inside of it, are trained.
  package var isTrained = true
  /// Where it stands in the config, `mnist.yaml:12:7`.
  package var place: String

  package init(_ kind: LayerKind, name: String? = nil, place: String = "model") {
    self.kind = kind
    self.name = name
    self.place = place
  }
}

extension LayerSpec {
  /// Whether it keeps running statistics.
  var hasStatistics: Bool {
    if case .batchNorm = kind { true } else { false }
  }

  var carriesState: Bool {
    if case .recurrent(let spec) = kind { spec.carriesState } else { false }
  }

  /// This layer and all layers inside of it.
  var withInner: [LayerSpec] {
    switch kind {
    case .residual(let main, let shortcut): [self] + (main + shortcut).flatMap(\.withInner)
    case .parallel(let branches, _): [self] + branches.joined().flatMap(\.withInner)
    case .repeat(_, let layers), .sequence(let layers): [self] + layers.flatMap(\.withInner)
    default: [self]
    }
  }
}

package indirect enum LayerKind: Equatable, Sendable {
  case dense(DenseSpec)
  case conv2d(Conv2DSpec)
  case maxPool(PoolSpec)
  case averagePool(PoolSpec)
  case globalAveragePool
  case batchNorm(BatchNormSpec)
  case layerNorm(LayerNormSpec)
  /// The probability of dropping.
  case dropout(rate: Double)
  case flatten(FlattenOrder)
  case reshape([Int])
  case activation(Activation)
  case softmax
  case conv1d(Conv1DSpec)
  case embedding(EmbeddingSpec)
  /// A dense layer with the weights of the embedding of that name.
  case tiedDense(embedding: String)
  case positions(PositionEncoding)
  case recurrent(RecurrentSpec)
  case attention(AttentionSpec)
  case rmsNorm(RMSNormSpec)
  case classToken
  /// The number whose steps at a sequence's end are padding.
  case masking(value: Double)
  case lastStep
  case firstStep
  case squeezeExcitation(SqueezeExcitationSpec)
  /// The probability of dropping a sample.
  case stochasticDepth(rate: Double)
  /// The probability of dropping a channel.
  case spatialDropout(rate: Double)
  case groupNorm(GroupNormSpec)
  case instanceNorm(InstanceNormSpec)
  case localResponseNorm(LocalResponseNormSpec)
  case convTranspose2d(ConvTranspose2DSpec)
  case upsample(UpsampleSpec)
  /// Rows and columns of the output.
  case adaptiveAveragePool(Extent)
  case prelu(PReLUSpec)
  case sequence([LayerSpec])
  case residual(main: [LayerSpec], shortcut: [LayerSpec])
  case parallel(branches: [[LayerSpec]], join: Join)
  case `repeat`(times: Int, layers: [LayerSpec])
  /// Its input and the outputs of layers before it, by their names.
  case join(JoinSpec)
  /// The layer of that name once more, with the same parameters.
  case shared(layer: String)
  case stopGradient
  /// One entry along the first axis, `[K, ...] -> [...]`.
  case select(index: Int)
  /// Some of the channels.
  case channels(ChannelRange)
  /// `[..., 2 C] -> [..., C]`: a draw from the normal distribution with the mean in the first half and the logarithm of
  /// the variance in the second; where the model is used, the mean.
  case gaussianSample
}

package struct JoinSpec: Equatable, Sendable {
  package var sources: [String]
  package var join = Join.concat

  package init(sources: [String]) {
    self.sources = sources
  }
}

package struct ChannelRange: Equatable, Sendable {
  package var first: Int
  package var count: Int

  package init(first: Int, count: Int) {
    self.first = first
    self.count = count
  }
}

/// How the branches of `parallel` become one tensor.
package enum Join: String, CaseIterable, Sendable {
  /// Along the channels.
  case concat
  case add
  case multiply
}

/// `y = x W^T + b`, `[N, in] -> [N, units]`.
package struct DenseSpec: Equatable, Sendable {
  package var units: Int
  package var bias = true
  /// nil: He normal before a relu-like activation, else Xavier uniform.
  package var weightInitializer: Initializer?
  package var biasInitializer = Initializer.zeros

  package init(units: Int) {
    self.units = units
  }
}

package struct Conv2DSpec: Equatable, Sendable {
  package var filters: Int
  package var kernel: Extent
  package var stride = Extent(1)
  package var padding = Padding.valid
  package var dilation = Extent(1)
  package var groups = ConvolutionGroups.count(1)
  package var bias = true
  package var weightInitializer: Initializer?
  package var biasInitializer = Initializer.zeros

  package init(filters: Int, kernel: Extent) {
    self.filters = filters
    self.kernel = kernel
  }
}

/// Into how many independent convolutions the channels of one are divided.
package enum ConvolutionGroups: Equatable, Sendable {
  case count(Int)
  /// One group per input channel, however many there are.
  case depthwise

  /// The number of groups over an input of `channels`.
  package func count(channels: Int) -> Int {
    switch self {
    case .count(let count): count
    case .depthwise: channels
    }
  }
}

/// Rows and columns of a window.
package struct Extent: Equatable, Sendable {
  package var height: Int
  package var width: Int

  package init(_ side: Int) {
    self.init(height: side, width: side)
  }

  package init(height: Int, width: Int) {
    self.height = height
    self.width = width
  }
}

package enum Padding: Equatable, Sendable {
  /// Output extent = ceil(input / stride); an odd rest goes after, as in TensorFlow.
  case same
  /// No padding.
  case valid
  /// That many zeros on both sides, as in PyTorch.
  case amount(Extent)
}

package struct PoolSpec: Equatable, Sendable {
  package var size: Extent
  /// nil: as the size.
  package var stride: Extent?
  package var padding = Padding.valid
  /// Average pooling only: whether zeros of the padding count in the divisor.
  package var countsPadding = true

  package init(size: Extent) {
    self.size = size
  }
}

/// `y = gamma * (x - mean) / sqrt(variance + epsilon) + beta`, per channel over all other axes.
package struct BatchNormSpec: Equatable, Sendable {
  /// Weight of the newest statistics: `running = (1 - momentum) * running + momentum * batch`.
  package var momentum = 0.1
  package var epsilon = 1e-5
  /// nil: as `ModelSpec.batchNormStatistics`.
  package var statistics: BatchNormStatistics?

  package init() {}
}

/// Which samples a batch norm takes its mean and variance of in training.
package enum BatchNormStatistics: String, CaseIterable, Sendable {
  /// Those of a micro-shard.
  case shard
  /// Those of the whole batch, on all ranks: every rank has one micro-shard.
  case batch
}

/// As batch norm, but over the channels of each position (the last axis).
package struct LayerNormSpec: Equatable, Sendable {
  package var epsilon = 1e-5

  package init() {}
}

/// In which order an image `[H, W, C]` becomes a row.
package enum FlattenOrder: String, CaseIterable, Sendable {
  /// `[C, H, W]`, as PyTorch's `Flatten` does, so that a following dense layer's weights are its.
  case channelsFirst = "channels_first"
  /// `[H, W, C]`, as TensorFlow and Keras do.
  case channelsLast = "channels_last"
}
