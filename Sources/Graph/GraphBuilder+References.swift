// Layers that refer to others by name, and those that take a part of their input.

extension GraphBuilder {
  /// Joins the input with what layers before it gave.
  mutating func lowerJoin(_ spec: JoinSpec, _ site: LayerSite, _ flow: Flow) throws -> Flow {
    try join([flow] + spec.sources.map { try self.flow(named: $0, site) }, spec.join, site)
  }

  /// The layers of that name a second time; their parameters have two readers from now on.
  mutating func lowerShared(_ name: String, _ site: LayerSite, _ flow: Flow) throws -> Flow {
    guard let original = sites[name] else {
      throw site.fault(
        "shares the parameters of \(name), which is no layer before it",
        expected: knownNames(), remedy: "give that layer a name of its own: {name: \(name), ...}")
    }
    if let norm = original.spec.withInner.first(where: \.hasStatistics) {
      throw site.fault(
        "would apply batch_norm at \(norm.place) twice, whose running statistics follow one application",
        expected: "layers without batch_norm", remedy: "use layer_norm, group_norm or instance_norm"
      )
    }
    if let layer = original.spec.withInner.first(where: \.carriesState) {
      throw site.fault(
        "would apply \(layer.kind.configName) at \(layer.place) twice, which carries the state of one application",
        expected: "layers that start every window from zeros",
        remedy: "remove carry, or write the layer out instead of sharing it")
    }
    return try lowerAgain(original, from: flow)
  }

  mutating func lowerSelect(_ index: Int, _ site: LayerSite, _ flow: Flow) throws -> Flow {
    guard flow.shape.count > 1, index < flow.shape[0] else {
      throw site.fault(
        "takes entry \(index) of an input of shape \(flow.shape)",
        expected: "an input of at least two axes, the first longer than \(index)",
        remedy: "reshape the input to [entries, ...], or choose a smaller index")
    }
    let inner = Array(flow.shape.dropFirst())
    return append(
      .step(index, steps: flow.shape[0], channels: inner.reduce(1, *)), [flow.value], inner, site)
  }

  mutating func lowerChannels(
    _ range: ChannelRange, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let total = flow.shape.last ?? 1
    guard range.first + range.count <= total else {
      throw site.fault(
        "takes the channels \(range.first) to \(range.first + range.count - 1) of an input of shape \(flow.shape)",
        expected: "channels of 0 to \(total - 1)", remedy: "use a smaller first or count")
    }
    let positions = flow.elementCount / total
    return append(
      .slice(offset: range.first, count: range.count, total: total, positions: positions),
      [flow.value], Array(flow.shape.dropLast()) + [range.count], site)
  }

  mutating func lowerGaussianSample(
    _ mode: GraphMode, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let channels = flow.shape.last ?? 1
    guard channels.isMultiple(of: 2) else {
      throw site.fault(
        "got an input of shape \(flow.shape)",
        expected: "an even number of channels, means and logarithms of variances",
        remedy: "give the layer before it twice the channels of the sample")
    }
    let half = channels / 2
    let positions = flow.elementCount / channels
    let shape = Array(flow.shape.dropLast()) + [half]
    guard mode == .training else {
      return append(
        .slice(offset: 0, count: half, total: channels, positions: positions), [flow.value], shape,
        site)
    }
    let kind = OperationKind.gaussianSample(
      ChannelShape(positions: positions, channels: half), stream: stream(of: site))
    return append(kind, [flow.value], shape, site)
  }
}
