import Graph

extension GradientCheckTests {
  static func transposed(
    _ filters: Int, _ kernel: Int, _ change: (inout ConvTranspose2DSpec) -> Void = { _ in }
  ) -> LayerKind {
    var spec = ConvTranspose2DSpec(filters: filters, kernel: Extent(kernel))
    change(&spec)
    return .convTranspose2d(spec)
  }

  static func squeeze(
    _ channels: Int, _ activation: Activation = .relu, _ gate: Activation = .sigmoid
  ) -> LayerKind {
    var spec = SqueezeExcitationSpec()
    spec.channels = channels
    spec.activation = activation
    spec.gate = gate
    return .squeezeExcitation(spec)
  }

  static func upsample(_ factor: Extent, _ mode: Interpolation) -> LayerKind {
    var spec = UpsampleSpec(factor: factor)
    spec.mode = mode
    return .upsample(spec)
  }

  static func response(_ size: Int, alpha: Double, beta: Double, k: Double) -> LayerKind {
    var spec = LocalResponseNormSpec(size: size)
    (spec.alpha, spec.beta, spec.k) = (alpha, beta, k)
    return .localResponseNorm(spec)
  }

  static func instanceNorm(affine: Bool) -> LayerKind {
    var spec = InstanceNormSpec()
    spec.affine = affine
    return .instanceNorm(spec)
  }

  static func prelu(shared: Bool) -> LayerKind {
    var spec = PReLUSpec()
    spec.isShared = shared
    return .prelu(spec)
  }

  /// Layers of image networks.
  static let imageCases: [Case] = [
    Case("squeeze-excitation", [3, 4, 6], [conv(6), squeeze(2, .silu), conv(2)]),
    Case(
      "squeeze-excitation, hard gate", [3, 3, 17],
      [squeeze(5, .relu, .hardSigmoid), .globalAveragePool]),
    Case(
      "stochastic depth", [3, 3, 2],
      [
        .residual(
          main: layers(conv(2), .stochasticDepth(rate: 0.5)), shortcut: []), conv(2),
      ]),
    Case("spatial dropout", [3, 3, 5], [conv(7), .spatialDropout(rate: 0.4), conv(2)]),
    Case("group norm", [3, 4, 6], [conv(6), .groupNorm(GroupNormSpec(groups: 3)), conv(2)]),
    Case("group norm of one group", [2, 3, 17], [.groupNorm(GroupNormSpec(groups: 1)), conv(2)]),
    Case("group norm on rows", [8], [dense(8), .groupNorm(GroupNormSpec(groups: 2)), dense(3)]),
    Case(
      "instance norm", [4, 3, 5], [conv(5, bias: false), instanceNorm(affine: false), conv(2)]),
    Case("instance norm, affine", [4, 3, 5], [instanceNorm(affine: true), conv(2)]),
    Case(
      "local response norm", [2, 3, 7],
      [conv(7), response(5, alpha: 2, beta: 0.75, k: 2), conv(2)]),
    Case(
      "local response norm, even window", [2, 2, 19],
      [response(4, alpha: 0.5, beta: 0.5, k: 1), .globalAveragePool]),
    Case("conv_transpose2d", [3, 4, 2], [transposed(3, 3), conv(2)]),
    Case(
      "conv_transpose2d, stride 2", [3, 4, 5],
      [
        conv(5),
        transposed(4, 4) {
          $0.stride = Extent(2)
          $0.padding = .amount(Extent(1))
        },
        conv(2),
      ]),
    Case(
      "conv_transpose2d, output padding and dilation", [3, 3, 2],
      [
        transposed(3, 3) {
          $0.stride = Extent(height: 3, width: 2)
          $0.padding = .amount(Extent(1))
          $0.outputPadding = Extent(1)
          $0.dilation = Extent(height: 1, width: 2)
          $0.bias = false
        }
      ]),
    Case(
      "conv_transpose2d, groups", [3, 3, 4],
      [
        transposed(6, 2) {
          $0.stride = Extent(2)
          $0.padding = .same
          $0.groups = 2
        }
      ]),
    Case("upsample nearest", [3, 2, 3], [conv(3), upsample(Extent(2), .nearest), conv(2)]),
    Case(
      "upsample bilinear", [3, 4, 2],
      [conv(3), upsample(Extent(height: 2, width: 3), .bilinear), conv(2)]),
    Case("adaptive average pool", [5, 7, 3], [conv(3), .adaptiveAveragePool(Extent(3))]),
    Case("adaptive average pool, larger", [2, 2, 3], [conv(3), .adaptiveAveragePool(Extent(3))]),
    Case("prelu", [3, 3, 5], [conv(5), prelu(shared: false), conv(2)]),
    Case("prelu, one slope", [9], [dense(7), prelu(shared: true), dense(3)]),
    Case("relu6", [5], [dense(4), .activation(.relu6)]),
    Case("hard sigmoid", [5], [dense(4), .activation(.hardSigmoid)]),
    Case("hard swish", [5], [dense(4), .activation(.hardSwish)]),
    Case("softplus", [5], [dense(4), .activation(.softplus)]),
    Case("sequence", [4], [.sequence(layers(dense(4), .activation(.tanh))), dense(3)]),
  ]
}
