import Configuration
import Graph
import Testing

@Suite("layers of image networks")
struct ImageLayerTests {
  @Test("a layer with defaults is just its name")
  func names() throws {
    let kinds = try layers(
      "[squeeze_excitation, instance_norm, prelu, relu6, hard_sigmoid, hard_swish, softplus]")
    let expected: [LayerKind] = [
      .squeezeExcitation(SqueezeExcitationSpec()), .instanceNorm(InstanceNormSpec()),
      .prelu(PReLUSpec()), .activation(.relu6), .activation(.hardSigmoid),
      .activation(.hardSwish), .activation(.softplus),
    ]
    #expect(kinds == expected)
  }

  @Test("a layer with one main value takes it directly")
  func mainValues() throws {
    let kinds = try layers(
      """
      [{squeeze_excitation: 4}, {stochastic_depth: 0.2}, {spatial_dropout: 0.1}, {group_norm: 8},
       {local_response_norm: 5}, {upsample: 2}, {adaptive_average_pool: [6, 7]}, {sequence: [relu]}]
      """)
    var squeeze = SqueezeExcitationSpec()
    squeeze.reduction = 4
    let expected: [LayerKind] = [
      .squeezeExcitation(squeeze), .stochasticDepth(rate: 0.2), .spatialDropout(rate: 0.1),
      .groupNorm(GroupNormSpec(groups: 8)), .localResponseNorm(LocalResponseNormSpec(size: 5)),
      .upsample(UpsampleSpec(factor: Extent(2))),
      .adaptiveAveragePool(Extent(height: 6, width: 7)),
    ]
    #expect(Array(kinds.prefix(7)) == expected)
    guard case .sequence(let inner) = kinds[7] else { throw Surprise() }
    #expect(inner.map(\.kind) == [.activation(.relu)])
  }

  @Test("every option is read")
  func options() throws {
    let kinds = try layers(
      """
      [{squeeze_excitation: {channels: 8, activation: silu, gate: hard_sigmoid}},
       {group_norm: {groups: 4, epsilon: 0.1}}, {instance_norm: {epsilon: 0.2, affine: true}},
       {local_response_norm: {size: 5, alpha: 0.5, beta: 0.25, k: 2}},
       {conv_transpose2d: {filters: 3, kernel: [4, 5], stride: 2, padding: 1, output_padding: [1, 0],
         dilation: 2, groups: 3, bias: false, weight_initializer: zeros, bias_initializer: he_normal}},
       {upsample: {factor: [2, 3], mode: bilinear}}, {prelu: {initial: 0.1, shared: true}}]
      """)
    var squeeze = SqueezeExcitationSpec()
    (squeeze.channels, squeeze.activation, squeeze.gate) = (8, .silu, .hardSigmoid)
    var group = GroupNormSpec(groups: 4)
    group.epsilon = 0.1
    var instance = InstanceNormSpec()
    (instance.epsilon, instance.affine) = (0.2, true)
    var response = LocalResponseNormSpec(size: 5)
    (response.alpha, response.beta, response.k) = (0.5, 0.25, 2)
    var conv = ConvTranspose2DSpec(filters: 3, kernel: Extent(height: 4, width: 5))
    conv.stride = Extent(2)
    conv.padding = .amount(Extent(1))
    conv.outputPadding = Extent(height: 1, width: 0)
    conv.dilation = Extent(2)
    conv.groups = 3
    conv.bias = false
    conv.weightInitializer = .zeros
    conv.biasInitializer = .heNormal
    var upsample = UpsampleSpec(factor: Extent(height: 2, width: 3))
    upsample.mode = .bilinear
    var prelu = PReLUSpec()
    (prelu.initialSlope, prelu.isShared) = (0.1, true)
    #expect(
      kinds == [
        .squeezeExcitation(squeeze), .groupNorm(group), .instanceNorm(instance),
        .localResponseNorm(response), .convTranspose2d(conv), .upsample(upsample), .prelu(prelu),
      ])
  }

  @Test("they are written as they are read")
  func roundTrip() throws {
    let model = """
      data: {format: generated, kind: images, shape: [8, 8, 3], classes: 4}
      model:
        input: [8, 8, 3]
        layers:
          - squeeze_excitation: {channels: 8, activation: hard_swish}
          - {conv_transpose2d: {filters: 3, kernel: 4, padding: same, output_padding: 1}}
          - {local_response_norm: 3}
          - {upsample: {factor: 2, mode: bilinear}}
          - sequence: {name: tail, layers: [{stochastic_depth: 0.5}, prelu, hard_swish]}
          - {spatial_dropout: 0.25}
          - {instance_norm: {affine: true}}
          - {group_norm: 3}
          - {adaptive_average_pool: 2}
      loss: softmax_cross_entropy
      optimizer: {kind: sgd, learning_rate: 0.1}
      """
    let first = try read(model)
    let second = try read(first.resolvedText)
    #expect(withoutPlaces(second.spec) == withoutPlaces(first.spec))
    #expect(second.resolvedText == first.resolvedText)
    #expect(first.resolvedText.contains("shape: [8, 8, 3]"))
  }
}
