// The loss at the end of the model, and those inside of it.

extension GraphBuilder {
  /// Puts the losses, their total and the count of right answers after the last layer.
  mutating func attach(
    _ loss: LossSpec, target name: String?, _ others: [AuxiliaryLoss], to end: Flow,
    layers: [LayerSpec]
  ) throws {
    if let last = layers.last { try checkEnd(last, index: layers.count - 1, loss) }
    let positions = loss.positions(of: end.shape)
    let outputs = end.elementCount / positions
    let site = LayerSite(
      spec: LayerSpec(.activation(.identity), place: "loss"), path: "loss", reluFollows: false)
    if case .pairwise(let pairwise) = loss { try pairwise.check(end.shape, site) }
    let target = try name.map { try value(named: $0, like: end, site) } ?? dataTarget(of: end)
    let losses = addValue(.activation, elementCount: positions)
    let gradient = addValue(.activation, elementCount: end.elementCount)
    add(
      .loss(loss, outputs: outputs, positions: positions), [end.value, target],
      to: [losses, gradient], site)
    let shares = try others.map { try attach($0, of: end) }
    let total = addValue(.lossShare, elementCount: 1)
    add(.sumLosses(positions: positions), [losses] + shares, to: [total], site)
    guard loss.countsRightAnswers, name == nil else { return }
    add(
      .countCorrect(loss, outputs: outputs, positions: positions), [end.value, target],
      to: [addValue(.correctShare, elementCount: 1)], site)
  }

  /// What the data say of the model's end.
  private mutating func dataTarget(of end: Flow) -> ValueID {
    if let target = graph.target { return target }
    let target = addValue(.target, elementCount: end.elementCount)
    setTarget(target)
    return target
  }

  /// The output of a layer that `flow` is compared with.
  private func value(named name: String, like flow: Flow, _ site: LayerSite) throws -> ValueID {
    let other = try self.flow(named: name, site)
    guard other.elementCount == flow.elementCount else {
      throw site.fault(
        "compares an output of shape \(flow.shape) with \(name), whose shape is \(other.shape)",
        expected: "two outputs of the same shape", remedy: "choose another layer as the target")
    }
    return other.value
  }

  /// One more loss; its share of the total.
  ///
  /// - Parameter end: Of the model, which the data's targets are for.
  private mutating func attach(_ term: AuxiliaryLoss, of end: Flow) throws -> ValueID {
    let spec = LayerSpec(.activation(.identity), place: term.place)
    let site = LayerSite(spec: spec, path: "auxiliary_losses.\(term.output)", reluFollows: false)
    let flow = try flow(named: term.output, site)
    try check(term, flow.shape, site)
    var inputs = [flow.value]
    if let name = term.target {
      inputs.append(try value(named: name, like: flow, site))
    } else if term.kind.readsTargets, flow.elementCount != end.elementCount {
      throw site.fault(
        "compares an output of shape \(flow.shape) with targets of \(end.elementCount) numbers",
        expected: "as many outputs as the model's end has",
        remedy: "end this part with a layer like the model's last, or set a target")
    }
    let positions = term.kind.positions(of: flow.shape)
    let shape = LossTermShape(
      kind: term.kind, positions: positions, channels: flow.elementCount / positions,
      width: flow.shape.last ?? 1, weight: term.weight, hasTarget: inputs.count > 1)
    if !shape.hasTarget, term.kind.readsTargets { inputs.append(dataTarget(of: end)) }
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
