// Layers made of layers, and the loss at the end.

extension GraphBuilder {
  mutating func lowerResidual(
    _ main: [LayerSpec], _ shortcut: [LayerSpec], _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let mainEnd = try lower(
      main, from: flow, path: "\(site.path).main", reluFollows: site.reluFollows)
    let shortcutEnd = try lower(
      shortcut, from: flow, path: "\(site.path).shortcut", reluFollows: site.reluFollows)
    guard mainEnd.shape == shortcutEnd.shape else {
      throw site.fault(
        "adds a main path of shape \(mainEnd.shape) to a shortcut of shape \(shortcutEnd.shape)",
        expected: "two paths of the same shape",
        remedy: "give the shortcut a conv2d with the main path's filters and stride, kernel 1")
    }
    return append(.add, [mainEnd.value, shortcutEnd.value], mainEnd.shape, site)
  }

  mutating func lowerParallel(
    _ branches: [[LayerSpec]], _ join: Join, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let ends = try branches.enumerated().map { index, layers in
      try lower(
        layers, from: flow, path: "\(site.path).branches.\(index)",
        reluFollows: site.reluFollows)
    }
    return try self.join(ends, join, site)
  }

  private mutating func concatenate(_ ends: [Flow], _ site: LayerSite) throws -> Flow {
    guard ends.allSatisfy({ $0.shape.dropLast() == ends[0].shape.dropLast() }) else {
      throw site.fault(
        "joins branches of shapes \(describe(ends))",
        expected: "branches that differ in channels only for join: concat",
        remedy: "give every branch the same stride and padding")
    }
    let outer = ends[0].shape.dropLast()
    let channels = ends.map { $0.shape.last ?? 1 }
    return append(
      .concatenate(channels: channels, positions: outer.reduce(1, *)), ends.map(\.value),
      outer + [channels.reduce(0, +)], site)
  }

  private func describe(_ ends: [Flow]) -> String {
    ends.map { "\($0.shape)" }.joined(separator: " and ")
  }

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

  private mutating func join(_ ends: [Flow], _ join: Join, _ site: LayerSite) throws -> Flow {
    switch join {
    case .concat: return try concatenate(ends, site)
    case .add, .multiply:
      guard ends.allSatisfy({ $0.shape == ends[0].shape }) else {
        throw site.fault(
          "joins branches of shapes \(describe(ends))",
          expected: "branches of the same shape for join: \(join.rawValue)",
          remedy: "give every branch the same filters and stride, or use join: concat")
      }
      let kind = join == .add ? OperationKind.add : .multiply
      return ends.dropFirst().reduce(ends[0]) { joined, end in
        append(kind, [joined.value, end.value], joined.shape, site)
      }
    }
  }

  /// Puts the losses, their total and the count of right answers after the last layer.
  mutating func attach(
    _ loss: LossSpec, _ others: [AuxiliaryLoss], to end: Flow, layers: [LayerSpec]
  ) throws {
    if let last = layers.last { try checkEnd(last, index: layers.count - 1, loss) }
    let positions = loss.positions(of: end.shape)
    let outputs = end.elementCount / positions
    let site = LayerSite(
      spec: LayerSpec(.activation(.identity), place: "loss"), path: "loss", reluFollows: false)
    if case .pairwise(let pairwise) = loss { try pairwise.check(end.shape, site) }
    let target = addValue(.target, elementCount: end.elementCount)
    setTarget(target)
    let losses = addValue(.activation, elementCount: positions)
    let gradient = addValue(.activation, elementCount: end.elementCount)
    add(
      .loss(loss, outputs: outputs, positions: positions), [end.value, target],
      to: [losses, gradient], site)
    let shares = try others.map { try attach($0, target: target, size: end.elementCount) }
    let total = addValue(.lossShare, elementCount: 1)
    add(.sumLosses(positions: positions), [losses] + shares, to: [total], site)
    guard loss.countsRightAnswers else { return }
    add(
      .countCorrect(loss, outputs: outputs, positions: positions), [end.value, target],
      to: [addValue(.correctShare, elementCount: 1)], site)
  }

  /// One more loss; its share of the total.
  ///
  /// - Parameters:
  ///   - target: What the data say of the model's end.
  ///   - size: How many numbers that is.
  private mutating func attach(
    _ term: AuxiliaryLoss, target: ValueID, size: Int
  ) throws -> ValueID {
    let spec = LayerSpec(.activation(.identity), place: term.place)
    let site = LayerSite(spec: spec, path: "auxiliary_losses.\(term.output)", reluFollows: false)
    let flow = try flow(named: term.output, site)
    try check(term, flow.shape, site)
    var inputs = [flow.value]
    if let name = term.target {
      let other = try self.flow(named: name, site)
      guard other.elementCount == flow.elementCount else {
        throw site.fault(
          "compares an output of shape \(flow.shape) with \(name), whose shape is \(other.shape)",
          expected: "two outputs of the same shape", remedy: "choose another layer as the target")
      }
      inputs.append(other.value)
    } else if term.kind.readsTargets, flow.elementCount != size {
      throw site.fault(
        "compares an output of shape \(flow.shape) with targets of \(size) numbers",
        expected: "as many outputs as the model's end has",
        remedy: "end this part with a layer like the model's last, or set a target")
    }
    let positions = term.kind.positions(of: flow.shape)
    let shape = LossTermShape(
      kind: term.kind, positions: positions, channels: flow.elementCount / positions,
      width: flow.shape.last ?? 1, weight: term.weight, hasTarget: inputs.count > 1)
    if !shape.hasTarget, term.kind.readsTargets { inputs.append(target) }
    let losses = addValue(.activation, elementCount: positions)
    let gradient = addValue(.activation, elementCount: flow.elementCount)
    add(.lossTerm(shape), inputs, to: [losses, gradient], site)
    let share = addValue(.shardConstant, elementCount: 1)
    add(.sumLosses(positions: positions), [losses], to: [share], site)
    return share
  }

  private func check(_ term: AuxiliaryLoss, _ shape: [Int], _ site: LayerSite) throws {
    if !term.kind.readsTargets, let target = term.target {
      throw site.fault(
        "compares the output with \(target), but the loss is of the output alone",
        expected: "no target", remedy: "remove target")
    }
    switch term.kind {
    case .loss(.pairwise(let pairwise)): try pairwise.check(shape, site)
    case .klDivergence where !(shape.last ?? 1).isMultiple(of: 2):
      throw site.fault(
        "is kl_divergence of an output of shape \(shape)",
        expected: "an even number of channels, means and logarithms of variances",
        remedy: "give the layer twice the channels of what is drawn from it")
    case .cosine where term.target == nil, .gram where term.target == nil:
      throw site.fault(
        "is \(term.kind.name) without a target", expected: "the name of a layer, or input",
        remedy: "add target: NAME")
    default: return
    }
  }

  private func checkEnd(_ last: LayerSpec, index: Int, _ loss: LossSpec) throws {
    let site = LayerSite(
      spec: last, path: "layers.\(last.name ?? String(index))", reluFollows: false)
    switch (last.kind, loss) {
    case (.softmax, .softmaxCrossEntropy):
      throw site.fault(
        "stands before softmax_cross_entropy, which applies softmax itself",
        expected: "logits at the end of the model", remedy: "remove this softmax layer")
    case (.activation(.sigmoid), .sigmoidCrossEntropy):
      throw site.fault(
        "stands before sigmoid_cross_entropy, which applies sigmoid itself",
        expected: "logits at the end of the model", remedy: "remove this sigmoid layer")
    default: return
    }
  }
}

extension LossSpec {
  /// How many answers a sample's outputs of that shape hold: one for every step of a sequence of logits, one for all
  /// numbers of other losses.
  package func positions(of shape: [Int]) -> Int {
    guard case .softmaxCrossEntropy = self else { return 1 }
    return shape.dropLast().reduce(1, *)
  }

  /// Whether an output can be right or wrong.
  package var countsRightAnswers: Bool {
    switch self {
    case .softmaxCrossEntropy, .sigmoidCrossEntropy: true
    case .meanSquared, .meanAbsolute, .huber, .pairwise: false
    }
  }
}

extension AuxiliaryLossKind {
  /// Losses of a sample whose output has that shape.
  fileprivate func positions(of shape: [Int]) -> Int {
    switch self {
    case .loss(let loss): loss.positions(of: shape)
    case .cosine: shape.dropLast().reduce(1, *)
    case .klDivergence, .gram: 1
    }
  }

  /// Whether it compares the output with the data's targets if with no other layer.
  fileprivate var readsTargets: Bool {
    switch self {
    case .loss(.pairwise), .klDivergence: false
    case .loss, .cosine, .gram: true
    }
  }
}

extension PairwiseLoss {
  fileprivate func check(_ shape: [Int], _ site: LayerSite) throws {
    guard let entries, shape.first != entries || shape.count < 2 else { return }
    throw site.fault(
      "got an output of shape \(shape)",
      expected: "[\(entries), ...], one entry for each of those compared",
      remedy: "reshape it to [\(entries), ...], or join the parts and reshape")
  }
}
