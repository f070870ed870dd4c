// Layers of image networks: gates, norms, dropout by channel, and changes of an image's extents.

extension GraphBuilder {
  mutating func lowerImages(
    _ mode: GraphMode, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    switch site.spec.kind {
    case .squeezeExcitation(let spec): return try lowerSqueezeExcitation(spec, site, flow)
    case .stochasticDepth(let rate):
      let shape = ChannelShape(positions: flow.elementCount, channels: 1)
      return lowerChannelDropout(shape, rate, mode, site, flow)
    case .spatialDropout(let rate):
      return lowerChannelDropout(ChannelShape(flow.shape), rate, mode, site, flow)
    case .groupNorm(let spec): return try lowerGroupNorm(spec, site, flow)
    case .instanceNorm(let spec): return try lowerInstanceNorm(spec, site, flow)
    case .localResponseNorm(let spec): return lowerLocalResponseNorm(spec, site, flow)
    case .convTranspose2d(let spec): return try lowerTransposedConvolution(spec, site, flow)
    case .upsample(let spec): return try lowerUpsample(spec, site, flow)
    case .adaptiveAveragePool(let extent): return try lowerAdaptivePool(extent, site, flow)
    case .prelu(let spec): return lowerPReLU(spec, site, flow)
    default: preconditionFailure("\(site.spec.kind.configName) is lowered elsewhere")
    }
  }

  private mutating func lowerSqueezeExcitation(
    _ spec: SqueezeExcitationSpec, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let channels = try site.imageChannels(of: flow.shape)
    let squeezed = try site.squeezedChannels(spec, of: channels)
    let shape = ChannelShape(flow.shape)
    let mean = append(
      .globalAveragePool(positions: shape.positions, channels: channels), [flow.value], [channels],
      site)
    let hidden = addDense(squeezed, "fc1", spec.activation.isReluLike, site, mean)
    let inner = lowerActivation(spec.activation, site, hidden)
    let gate = addDense(channels, "fc2", false, site, inner)
    let scale = lowerActivation(spec.gate, site, gate)
    return append(.scaleChannels(shape), [flow.value, scale.value], flow.shape, site)
  }

  /// A dense layer inside of a layer, its parameters called `<path>.<name>.weight` and `.bias`; in files the weights are
  /// those of a convolution of one pixel, as other programs have them there.
  private mutating func addDense(
    _ units: Int, _ name: String, _ reluFollows: Bool, _ site: LayerSite, _ flow: Flow
  ) -> Flow {
    let inputs = flow.elementCount
    let fans = (in: inputs, out: units)
    let weight = addParameter(
      "\(name).weight", .weight,
      .convolution(height: 1, width: 1, inputs: inputs, outputs: units),
      reluFollows ? .heNormal : .xavierUniform, fans: fans, site)
    let bias = addParameter("\(name).bias", .bias, .vector(units), .zeros, fans: fans, site)
    return append(
      .dense(inputs: inputs, units: units, positions: 1), [flow.value, weight, bias], [units],
      site)
  }

  private mutating func lowerChannelDropout(
    _ shape: ChannelShape, _ rate: Double, _ mode: GraphMode, _ site: LayerSite, _ flow: Flow
  ) -> Flow {
    if mode == .evaluation || rate == 0 { return flow }
    return append(
      .channelDropout(shape, rate: rate, stream: stream(of: site)), [flow.value], flow.shape, site)
  }

  private mutating func lowerGroupNorm(
    _ spec: GroupNormSpec, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let shape = ChannelShape(flow.shape)
    guard shape.channels % spec.groups == 0 else {
      throw site.fault(
        "has \(spec.groups) groups for \(shape.channels) channels",
        expected: "a number of groups that divides \(shape.channels)",
        remedy: "use 1, or another divisor of \(shape.channels)")
    }
    return try addGroupNorm(shape, spec.groups, spec.epsilon, hasScale: true, site, flow)
  }

  private mutating func lowerInstanceNorm(
    _ spec: InstanceNormSpec, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let shape = ChannelShape(flow.shape)
    return try addGroupNorm(
      shape, shape.channels, spec.epsilon, hasScale: spec.affine, site, flow)
  }

  private mutating func addGroupNorm(
    _ sample: ChannelShape, _ groups: Int, _ epsilon: Double, hasScale: Bool, _ site: LayerSite,
    _ flow: Flow
  ) throws -> Flow {
    let shape = GroupNormShape(
      positions: sample.positions, channels: sample.channels, groups: groups, epsilon: epsilon)
    guard shape.positions * shape.width > 1 else {
      throw site.fault(
        "normalises one number at a time over an input of shape \(flow.shape)",
        expected: "more than one number in each group, since their mean is taken away",
        remedy: "use fewer groups, or put it before the pooling that leaves one position")
    }
    var operands = [flow.value]
    if hasScale { operands += addScaleAndShift(sample.channels, site) }
    let output = addValue(.activation, elementCount: flow.elementCount)
    let moments = (0..<2).map { _ in addValue(.activation, elementCount: groups) }
    add(.groupNorm(shape), operands, to: [output] + moments, site)
    return Flow(value: output, shape: flow.shape)
  }

  private mutating func lowerLocalResponseNorm(
    _ spec: LocalResponseNormSpec, _ site: LayerSite, _ flow: Flow
  ) -> Flow {
    let window = ResponseWindow(
      channels: flow.shape.last ?? 1, size: spec.size, alpha: spec.alpha, beta: spec.beta,
      k: spec.k)
    let outputs = (0..<2).map { _ in addValue(.activation, elementCount: flow.elementCount) }
    add(.localResponseNorm(window), [flow.value], to: outputs, site)
    return Flow(value: outputs[0], shape: flow.shape)
  }

  private mutating func lowerUpsample(
    _ spec: UpsampleSpec, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let channels = try site.imageChannels(of: flow.shape)
    let input = Extent(height: flow.shape[0], width: flow.shape[1])
    let output = Extent(
      height: input.height * spec.factor.height, width: input.width * spec.factor.width)
    if input == output { return flow }
    return append(
      .upsample(ResizeGeometry(input: input, output: output, channels: channels), spec.mode),
      [flow.value], [output.height, output.width, channels], site)
  }

  private mutating func lowerAdaptivePool(
    _ output: Extent, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let channels = try site.imageChannels(of: flow.shape)
    let input = Extent(height: flow.shape[0], width: flow.shape[1])
    // One window per pixel: torchvision's classifiers have such a pooling for images of other sizes.
    if input == output { return flow }
    return append(
      .adaptiveAveragePool(ResizeGeometry(input: input, output: output, channels: channels)),
      [flow.value], [output.height, output.width, channels], site)
  }

  private mutating func lowerPReLU(
    _ spec: PReLUSpec, _ site: LayerSite, _ flow: Flow
  ) -> Flow {
    let channels = flow.shape.last ?? 1
    let slopes = spec.isShared ? 1 : channels
    let weight = addParameter(
      "weight", .slope, .vector(slopes), .constant(spec.initialSlope), site)
    return append(
      .prelu(channels: channels, slopes: slopes), [flow.value, weight], flow.shape, site)
  }
}

extension ChannelShape {
  /// Of a sample; the last axis is the channels.
  fileprivate init(_ sample: [Int]) {
    let channels = sample.last ?? 1
    self.init(positions: sample.reduce(1, *) / max(channels, 1), channels: channels)
  }
}

extension LayerSite {
  fileprivate func squeezedChannels(
    _ spec: SqueezeExcitationSpec, of channels: Int
  ) throws -> Int {
    if let squeezed = spec.channels { return squeezed }
    guard channels % spec.reduction == 0 else {
      throw fault(
        "has a reduction of \(spec.reduction) for \(channels) channels",
        expected: "a reduction that divides the channels",
        remedy: "use a divisor of \(channels), or say channels instead of reduction")
    }
    return channels / spec.reduction
  }
}
