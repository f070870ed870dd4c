import Diagnostics
import Graph
import Testing

@Suite("Lowering layers of image networks")
struct ImageLoweringTests {
  private func graph(
    _ input: [Int], _ layers: LayerKind..., mode: GraphMode = .training
  ) throws -> ModelGraph {
    let specs = layers.enumerated().map { LayerSpec($1, place: "net.yaml:\($0 + 5):7") }
    return try GraphBuilder.forward(
      ModelSpec(input: input, layers: specs), loss: nil, mode: mode)
  }

  private func transposed(
    _ filters: Int, _ kernel: Int, _ change: (inout ConvTranspose2DSpec) -> Void = { _ in }
  ) -> LayerKind {
    var spec = ConvTranspose2DSpec(filters: filters, kernel: Extent(kernel))
    change(&spec)
    return .convTranspose2d(spec)
  }

  @Test("a transposed convolution has PyTorch's output extents and weights")
  func transposedConvolution() throws {
    // (n - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1
    #expect(try graph([5, 4, 3], transposed(7, 3)).outputShape == [7, 6, 7])
    let strided = transposed(6, 4) {
      $0.stride = Extent(2)
      $0.padding = .amount(Extent(1))
      $0.groups = 3
    }
    let halved = try graph([5, 4, 3], strided)
    #expect(halved.outputShape == [10, 8, 6])
    #expect(halved.parameters[0].layout.fileShape == [3, 2, 4, 4])
    #expect(halved.parameters.map(\.name) == ["layers.0.weight", "layers.0.bias"])
    let odd = transposed(2, 3) {
      $0.stride = Extent(2)
      $0.padding = .amount(Extent(1))
      $0.outputPadding = Extent(1)
    }
    #expect(try graph([5, 4, 3], odd).outputShape == [10, 8, 2])
    for kernel in 1...5 {
      let same = transposed(2, kernel) {
        $0.stride = Extent(3)
        $0.padding = .same
      }
      #expect(try graph([5, 4, 3], same).outputShape == [15, 12, 2], "kernel \(kernel)")
    }
  }

  @Test("a squeeze-excitation is two dense layers on the means and a product")
  func squeezeExcitation() throws {
    var spec = SqueezeExcitationSpec()
    spec.reduction = 4
    let graph = try graph([3, 3, 16], .squeezeExcitation(spec))
    #expect(
      graph.operations.map(\.kind.name) == [
        "global_average_pool", "dense", "relu", "dense", "sigmoid", "scale_channels",
      ])
    #expect(
      graph.parameters.map(\.name) == [
        "layers.0.fc1.weight", "layers.0.fc1.bias", "layers.0.fc2.weight", "layers.0.fc2.bias",
      ])
    #expect(
      graph.parameters.map(\.layout.fileShape) == [[4, 16, 1, 1], [4], [16, 4, 1, 1], [16]])
    #expect(graph.layers[0].forwardFLOPs == 2 * 2 * 64)
  }

  @Test("dropping samples and channels belongs to training")
  func dropping() throws {
    let layers: [LayerKind] = [.stochasticDepth(rate: 0.5), .spatialDropout(rate: 0.5)]
    for layer in layers {
      #expect(try graph([2, 2, 3], layer).operations.count == 1)
      #expect(try graph([2, 2, 3], layer, mode: .evaluation).operations.isEmpty)
    }
    #expect(try graph([2, 2, 3], .stochasticDepth(rate: 0)).operations.isEmpty)
  }

  @Test("pooling and upsampling to the same extents are nothing")
  func nothing() throws {
    #expect(
      try graph([6, 5, 3], .adaptiveAveragePool(Extent(height: 6, width: 5))).operations.isEmpty)
    #expect(try graph([6, 5, 3], .upsample(UpsampleSpec(factor: Extent(1)))).operations.isEmpty)
  }

  @Test("sequences look for the next activation inside and behind")
  func initializers() throws {
    let conv = LayerKind.conv2d(Conv2DSpec(filters: 2, kernel: Extent(1)))
    let norm = LayerSpec(.batchNorm(BatchNormSpec()))
    let relu = LayerSpec(.activation(.relu6))
    let graph = try graph(
      [4, 4, 2], .sequence([LayerSpec(conv), norm]), .sequence([norm, relu]), conv,
      .sequence([norm, LayerSpec(.activation(.hardSigmoid))]), .sequence([LayerSpec(conv)]),
      .prelu(PReLUSpec()))
    let weights = graph.parameters.filter { $0.kind == .weight }
    #expect(weights.map(\.initializer) == [.heNormal, .xavierUniform, .heNormal])
    #expect(weights.map(\.name) == ["layers.0.0.weight", "layers.2.weight", "layers.4.0.weight"])
  }

  @Test("what does not fit is said")
  func faults() {
    #expect(
      throws: Diagnostic(
        place: "net.yaml:5:7", problem: "layers.0 (group_norm) has 4 groups for 6 channels",
        expected: "a number of groups that divides 6",
        remedy: "use 1, or another divisor of 6")
    ) { try graph([2, 2, 6], .groupNorm(GroupNormSpec(groups: 4))) }
    #expect(
      throws: Diagnostic(
        place: "net.yaml:5:7",
        problem:
          "layers.0 (instance_norm) normalises one number at a time over an input of shape [6]",
        expected: "more than one number in each group, since their mean is taken away",
        remedy: "use fewer groups, or put it before the pooling that leaves one position")
    ) { try graph([6], .instanceNorm(InstanceNormSpec())) }
    #expect(
      throws: Diagnostic(
        place: "net.yaml:5:7",
        problem: "layers.0 (squeeze_excitation) has a reduction of 16 for 24 channels",
        expected: "a reduction that divides the channels",
        remedy: "use a divisor of 24, or say channels instead of reduction")
    ) { try graph([2, 2, 24], .squeezeExcitation(SqueezeExcitationSpec())) }
    #expect(
      throws: Diagnostic(
        place: "net.yaml:5:7",
        problem:
          "layers.0 (conv_transpose2d) has an output_padding of 2 for stride 2 and padding 1",
        expected: "an output_padding below the stride, and none with padding: same",
        remedy: "leave output_padding out")
    ) {
      try graph(
        [4, 4, 2],
        transposed(2, 3) {
          $0.stride = Extent(2)
          $0.padding = .amount(Extent(1))
          $0.outputPadding = Extent(2)
        })
    }
    #expect(
      throws: Diagnostic(
        place: "net.yaml:5:7", problem: "layers.0 (upsample) got an input of shape [6]",
        expected: "an image [height, width, channels]",
        remedy: "move it before flatten, or put reshape: [height, width, channels] before it")
    ) { try graph([6], .upsample(UpsampleSpec(factor: Extent(2)))) }
  }
}
