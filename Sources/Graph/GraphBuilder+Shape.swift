// Pooling, flattening, activations, norms and dropout.

extension GraphBuilder {
  mutating func lowerPool(
    _ spec: PoolSpec, isMax: Bool, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let channels = try site.imageChannels(of: flow.shape)
    let axes = try site.window(
      over: flow.shape, kernel: spec.size, stride: spec.stride ?? spec.size, padding: spec.padding,
      dilation: Extent(1))
    let geometry = PoolGeometry(
      vertical: axes.vertical, horizontal: axes.horizontal, channels: channels,
      countsPadding: spec.countsPadding)
    guard geometry.everyWindowSeesInput else {
      throw site.fault(
        "has windows that see nothing but padding over an input of shape \(flow.shape)",
        expected: "padding smaller than the window", remedy: "use less padding")
    }
    let shape = [axes.vertical.output, axes.horizontal.output, channels]
    return append(isMax ? .maxPool(geometry) : .averagePool(geometry), [flow.value], shape, site)
  }

  mutating func lowerGlobalAveragePool(_ site: LayerSite, _ flow: Flow) throws -> Flow {
    let isSequence = flow.shape.count == 2
    let channels = isSequence ? flow.shape[1] : try site.imageChannels(of: flow.shape)
    let positions = isSequence ? flow.shape[0] : flow.shape[0] * flow.shape[1]
    if let lengths = flow.lengths {
      return append(
        .averageSteps(steps: positions, channels: channels), [flow.value, lengths], [channels],
        site)
    }
    return append(
      .globalAveragePool(positions: positions, channels: channels), [flow.value], [channels], site)
  }

  mutating func lowerFlatten(_ order: FlattenOrder, _ site: LayerSite, _ flow: Flow) -> Flow {
    let flat = [flow.elementCount]
    guard order == .channelsFirst, flow.shape.count == 3 else {
      return Flow(value: flow.value, shape: flat)
    }
    let positions = flow.shape[0] * flow.shape[1]
    let channels = flow.shape[2]
    guard positions > 1, channels > 1 else { return Flow(value: flow.value, shape: flat) }
    return append(.transpose(rows: positions, columns: channels), [flow.value], flat, site)
  }

  mutating func lowerReshape(_ shape: [Int], _ site: LayerSite, _ flow: Flow) throws -> Flow {
    guard shape.reduce(1, *) == flow.elementCount else {
      throw site.fault(
        "cannot turn an input of shape \(flow.shape) into \(shape)",
        expected: "a shape of \(flow.elementCount) elements",
        remedy: "change one extent so that the product is \(flow.elementCount)")
    }
    return Flow(value: flow.value, shape: shape)
  }

  mutating func lowerActivation(
    _ activation: Activation, _ site: LayerSite, _ flow: Flow
  ) -> Flow {
    if activation == .identity { return flow }
    return append(.activation(activation), [flow.value], flow.shape, site)
  }

  mutating func lowerDropout(
    _ rate: Double, _ mode: GraphMode, _ site: LayerSite, _ flow: Flow
  ) -> Flow {
    if mode == .evaluation || rate == 0 { return flow }
    return append(.dropout(rate: rate, stream: site.path), [flow.value], flow.shape, site)
  }

  mutating func lowerBatchNorm(
    _ spec: BatchNormSpec, _ mode: GraphMode, _ site: LayerSite, _ flow: Flow
  ) -> Flow {
    let shape = NormShape(flow.shape, epsilon: spec.epsilon)
    let operands = [flow.value] + addScaleAndShift(shape.channels, site)
    let statistics = [("running_mean", 0.0), ("running_var", 1.0)].map { suffix, initial in
      addStatistic(
        Statistic(
          name: "\(site.path).\(suffix)", channels: shape.channels, initialValue: initial,
          momentum: spec.momentum))
    }
    guard mode == .training else {
      let running = statistics.map { addValue(.statistic($0), elementCount: shape.channels) }
      return append(.batchNormInference(shape), operands + running, flow.shape, site)
    }
    let output = addValue(.activation, elementCount: flow.elementCount)
    let (mean, unbiasedVariance) =
      switch spec.statistics ?? batchNormStatistics {
      case .shard: addShardNorm(shape, operands, output, site)
      case .batch: addWholeBatchNorm(shape, operands, output, site)
      }
    let shares = statistics.map { addValue(.statisticShare($0), elementCount: shape.channels) }
    add(.batchStatistics(channels: shape.channels), [mean, unbiasedVariance], to: shares, site)
    return Flow(value: output, shape: flow.shape)
  }

  private mutating func addShardNorm(
    _ shape: NormShape, _ operands: [ValueID], _ output: ValueID, _ site: LayerSite
  ) -> (mean: ValueID, unbiasedVariance: ValueID) {
    let moments = addChannelValues(3, shape)
    add(.batchNorm(shape), operands, to: [output] + moments, site)
    return (moments[0], moments[2])
  }

  private mutating func addWholeBatchNorm(
    _ shape: NormShape, _ operands: [ValueID], _ output: ValueID, _ site: LayerSite
  ) -> (mean: ValueID, unbiasedVariance: ValueID) {
    // Summed over the ranks, the share of the mean is the mean, and so are the squares.
    let moments = addChannelValues(3, shape)
    let squares = addChannelValues(1, shape)
    let results = addChannelValues(2, shape)
    add(.batchMoments(shape), [operands[0]], to: moments, site)
    add(.batchSquares(shape), moments, to: squares, site)
    add(
      .wholeBatchNorm(shape), operands + [moments[0]] + squares, to: [output] + results, site)
    return (moments[0], results[1])
  }

  private mutating func addChannelValues(_ count: Int, _ shape: NormShape) -> [ValueID] {
    (0..<count).map { _ in addValue(.shardConstant, elementCount: shape.channels) }
  }

  mutating func lowerLayerNorm(
    _ spec: LayerNormSpec, _ site: LayerSite, _ flow: Flow
  ) -> Flow {
    let shape = NormShape(flow.shape, epsilon: spec.epsilon)
    let operands = [flow.value] + addScaleAndShift(shape.channels, site)
    let output = addValue(.activation, elementCount: flow.elementCount)
    let moments = (0..<2).map { _ in addValue(.activation, elementCount: shape.positions) }
    add(.layerNorm(shape), operands, to: [output] + moments, site)
    return Flow(value: output, shape: flow.shape)
  }

  mutating func addScaleAndShift(_ channels: Int, _ site: LayerSite) -> [ValueID] {
    [
      addParameter("weight", .normScale, .vector(channels), .constant(1), site),
      addParameter("bias", .normShift, .vector(channels), .zeros, site),
    ]
  }
}

extension NormShape {
  fileprivate init(_ sample: [Int], epsilon: Double) {
    let channels = sample.last ?? 1
    self.init(
      positions: sample.reduce(1, *) / max(channels, 1), channels: channels, epsilon: epsilon)
  }
}

extension PoolGeometry {
  fileprivate var everyWindowSeesInput: Bool {
    vertical.everyWindowSeesInput && horizontal.everyWindowSeesInput
  }
}

extension WindowAxis {
  fileprivate var everyWindowSeesInput: Bool {
    (0..<output).allSatisfy { index in
      let start = index * stride - padBefore
      return (0..<kernel).contains { (0..<input).contains(start + $0 * dilation) }
    }
  }
}
