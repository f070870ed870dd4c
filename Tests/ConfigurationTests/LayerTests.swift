import Configuration
import Graph
import Testing

@Suite("layers")
struct LayerTests {
  @Test("a layer with defaults is just its name")
  func names() throws {
    let kinds = try layers(
      """
      [batch_norm, layer_norm, flatten, global_average_pool, identity, sigmoid, tanh, relu, \
      leaky_relu, elu, gelu, silu, softmax, {relu: }, {relu: {}}]
      """)
    let expected: [LayerKind] = [
      .batchNorm(BatchNormSpec()), .layerNorm(LayerNormSpec()), .flatten(.channelsFirst),
      .globalAveragePool, .activation(.identity), .activation(.sigmoid), .activation(.tanh),
      .activation(.relu), .activation(.leakyRelu(slope: 0.01)), .activation(.elu(alpha: 1)),
      .activation(.gelu), .activation(.silu), .softmax, .activation(.relu), .activation(.relu),
    ]
    #expect(kinds == expected)
  }

  @Test("a layer with one main value takes it directly")
  func mainValues() throws {
    let kinds = try layers(
      """
      [{dense: 10}, {dropout: 0.5}, {max_pool: 2}, {average_pool: [2, 3]}, {leaky_relu: 0.2}, \
      {elu: 0.5}, {reshape: [7, 7, 2]}, {reshape: 98}, {flatten: channels_last}, masking, \
      {masking: -1}, {masking: {value: 0.5}}]
      """)
    let expected: [LayerKind] = [
      .dense(DenseSpec(units: 10)), .dropout(rate: 0.5), .maxPool(PoolSpec(size: Extent(2))),
      .averagePool(PoolSpec(size: Extent(height: 2, width: 3))),
      .activation(.leakyRelu(slope: 0.2)), .activation(.elu(alpha: 0.5)), .reshape([7, 7, 2]),
      .reshape([98]), .flatten(.channelsLast), .masking(value: 0), .masking(value: -1),
      .masking(value: 0.5),
    ]
    #expect(kinds == expected)
  }

  @Test("every option of a dense layer is read")
  func dense() throws {
    var spec = DenseSpec(units: 10)
    spec.bias = false
    spec.weightInitializer = .xavierNormal
    spec.biasInitializer = .constant(0.1)
    let kinds = try layers(
      """
      [{dense: {units: 10, bias: false, weight_initializer: xavier_normal, \
      bias_initializer: {constant: 0.1}}}]
      """)
    #expect(kinds == [.dense(spec)])
  }

  @Test("every option of a convolution is read")
  func convolution() throws {
    var spec = Conv2DSpec(filters: 32, kernel: Extent(height: 3, width: 5))
    spec.stride = Extent(2)
    spec.padding = .amount(Extent(height: 1, width: 2))
    spec.dilation = Extent(height: 2, width: 1)
    spec.groups = .count(4)
    spec.bias = false
    spec.weightInitializer = .heUniform
    spec.biasInitializer = .uniform(low: -1, high: 1)
    let kinds = try layers(
      """
      [{conv2d: {filters: 32, kernel: [3, 5], stride: 2, padding: [1, 2], dilation: [2, 1], \
      groups: 4, bias: false, weight_initializer: he_uniform, \
      bias_initializer: {uniform: {low: -1, high: 1}}}}]
      """)
    #expect(kinds == [.conv2d(spec)])
  }

  @Test(
    "padding is a word, a number or two",
    arguments: [
      ("same", Padding.same), ("valid", .valid), ("3", .amount(Extent(3))),
      ("0", .amount(Extent(0))),
      ("[1, 0]", .amount(Extent(height: 1, width: 0))),
    ])
  func padding(text: String, expected: Padding) throws {
    guard
      case .conv2d(let spec) = try layers("[{conv2d: {filters: 1, kernel: 1, padding: \(text)}}]")[
        0]
    else { throw Surprise() }
    #expect(spec.padding == expected)
  }

  @Test("a convolution may be depthwise")
  func depthwise() throws {
    var spec = Conv2DSpec(filters: 8, kernel: Extent(3))
    spec.groups = .depthwise
    #expect(
      try layers("[{conv2d: {filters: 8, kernel: 3, groups: depthwise}}]") == [.conv2d(spec)])
  }

  @Test("every option of pooling, norms and activations is read")
  func options() throws {
    var pool = PoolSpec(size: Extent(3))
    pool.stride = Extent(1)
    pool.padding = .same
    var average = pool
    average.countsPadding = false
    var norm = BatchNormSpec()
    norm.momentum = 0.2
    norm.epsilon = 0.001
    var layerNorm = LayerNormSpec()
    layerNorm.epsilon = 0.01
    let kinds = try layers(
      """
      [{max_pool: {size: 3, stride: 1, padding: same}},
       {average_pool: {size: 3, stride: 1, padding: same, count_padding: false}},
       {batch_norm: {momentum: 0.2, epsilon: 0.001}}, {layer_norm: {epsilon: 1e-2}},
       {leaky_relu: {slope: 0}}, {gelu: {approximate: tanh}}, {gelu: {approximate: none}}]
      """)
    let expected: [LayerKind] = [
      .maxPool(pool), .averagePool(average), .batchNorm(norm), .layerNorm(layerNorm),
      .activation(.leakyRelu(slope: 0)), .activation(.geluTanh), .activation(.gelu),
    ]
    #expect(kinds == expected)
  }

  @Test("batch norms say whose statistics they take, or the model says it for all")
  func statistics() throws {
    let kinds = try layers(
      "[batch_norm, {batch_norm: {statistics: batch}}, {batch_norm: {statistics: shard}}]")
    let statistics = kinds.map { kind -> BatchNormStatistics? in
      if case .batchNorm(let spec) = kind { spec.statistics } else { nil }
    }
    #expect(statistics == [nil, .batch, .shard])
    let spec = try varied(
      """
      model:
        input: [2]
        batch_norm_statistics: batch
        layers: [batch_norm, {dense: 2}]
      """)
    #expect(spec.model.batchNormStatistics == .batch)
  }

  @Test("layers hold layers")
  func containers() throws {
    let spec = try varied(
      """
      model:
        input: 2
        layers:
          - residual: {main: [{dense: 2}], name: block}
          - parallel: {branches: [[relu], []], join: add}
          - repeat: {times: 2, layers: [tanh]}
      """)
    let layers = withoutPlaces(spec).model.layers
    let dense = LayerSpec(.dense(DenseSpec(units: 2)), place: "")
    let relu = LayerSpec(.activation(.relu), place: "")
    let tanh = LayerSpec(.activation(.tanh), place: "")
    #expect(
      layers == [
        LayerSpec(.residual(main: [dense], shortcut: []), name: "block", place: ""),
        LayerSpec(.parallel(branches: [[relu], []], join: .add), place: ""),
        LayerSpec(.repeat(times: 2, layers: [tanh]), place: ""),
      ])
  }

  @Test("a layer knows its name and where it stands")
  func places() throws {
    let model = try read(
      """
      data: {format: generated, kind: xor}
      model:
        input: [2]
        layers:
          - relu
          - dense: {units: 2, name: head-1}
      loss: mean_squared
      optimizer: {kind: sgd, learning_rate: 0.1}
      """
    ).spec.model
    #expect(model.layers.map(\.place) == ["small.yaml:5:7", "small.yaml:6:7"])
    #expect(model.layers.map(\.name) == [nil, "head-1"])
  }

  @Test(
    "every initializer is read",
    arguments: [
      ("zeros", Initializer.zeros), ("{constant: 0.1}", .constant(0.1)),
      ("{normal: {mean: 1, deviation: 0.5}}", .normal(mean: 1, deviation: 0.5)),
      ("{normal: {deviation: 0.5}}", .normal(mean: 0, deviation: 0.5)),
      ("{uniform: {low: -0.5, high: 0.5}}", .uniform(low: -0.5, high: 0.5)),
      ("{truncated_normal: {deviation: 0.02}}", .truncatedNormal(mean: 0, deviation: 0.02)),
      ("xavier_normal", .xavierNormal), ("xavier_uniform", .xavierUniform),
      ("he_normal", .heNormal), ("he_uniform", .heUniform),
    ])
  func initializer(text: String, expected: Initializer) throws {
    guard
      case .dense(let spec) = try layers("[{dense: {units: 2, weight_initializer: \(text)}}]")[0]
    else { throw Surprise() }
    #expect(spec.weightInitializer == expected)
  }
}

/// A value of another kind than the test is about.
struct Surprise: Error {}
