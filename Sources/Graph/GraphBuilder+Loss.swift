import Diagnostics

// The loss at the end of the model, and those inside of it.

extension GraphBuilder {
  /// Puts the losses, their total and the count of right answers after the last layer.
  mutating func attach(
    _ loss: LossSpec, target name: String?, _ others: [AuxiliaryLoss], to end: Flow,
    layers: [LayerSpec]
  ) throws {
    if let last = layers.last { try checkEnd(last, index: layers.count - 1, loss) }
    let site = LayerSite(
      spec: LayerSpec(.activation(.identity), place: "loss"), path: "loss", reluFollows: false)
    let role = others.isEmpty ? ValueRole.lossShare : .lossTermShare(0)
    let share: ValueID
    if case .ctc(let labels) = loss {
      share = try attachTemporal(labels: labels, to: end, role, site)
    } else {
      share = try attachMain(loss, target: name, to: end, role, site)
    }
    guard !others.isEmpty else { return }
    let shares =
      try [share]
      + others.enumerated().map { index, other in
        try attach(other, .lossTermShare(index + 1), beside: loss, of: end)
      }
    add(.sumShares, shares, to: [addValue(.lossShare, elementCount: 1)], site)
  }

  /// The loss at the end; its total, in the role it has.
  private mutating func attachMain(
    _ loss: LossSpec, target name: String?, to end: Flow, _ role: ValueRole, _ site: LayerSite
  ) throws -> ValueID {
    try checkSteps(of: end, loss)
    if case .pairwise(let pairwise) = loss { try pairwise.check(end.shape, site) }
    let positions = loss.positions(of: end.shape, arePadded: end.lengths != nil)
    let outputs = end.elementCount / positions
    let target = try name.map { try value(named: $0, like: end, site) } ?? dataTarget(of: end)
    let weights = addWeights(positions, target, end.lengths, loss.ignoredClass, site)
    let losses = addValue(.activation, elementCount: positions)
    let gradient = addValue(.activation, elementCount: end.elementCount)
    add(
      .loss(loss, outputs: outputs, positions: positions), [end.value, target] + weights,
      to: [losses, gradient], site)
    let share = addValue(role, elementCount: 1)
    add(.sumLosses(positions: positions), [losses] + weights, to: [share], site)
    guard loss.countsRightAnswers, name == nil else { return share }
    add(
      .countCorrect(loss, outputs: outputs, positions: positions), [end.value, target] + weights,
      to: [addValue(.correctShare, elementCount: 1)], site)
    return share
  }

  /// What the data say of the model's end.
  private mutating func dataTarget(of end: Flow) -> ValueID {
    if let target = graph.target { return target }
    let target = addValue(.target, elementCount: end.elementCount)
    setTarget(target)
    return target
  }

  /// The output of a layer that `flow` is compared with, through which no gradient goes.
  private mutating func value(
    named name: String, like flow: Flow, _ site: LayerSite
  ) throws -> ValueID {
    let other = try self.flow(named: name, site)
    guard other.elementCount == flow.elementCount else {
      throw site.fault(
        "compares an output of shape \(flow.shape) with \(name), whose shape is \(other.shape)",
        expected: "two outputs of the same shape", remedy: "choose another layer as the target")
    }
    if other.value == graph.input { return other.value }
    return append(.stopGradient, [other.value], other.shape, site).value
  }

  /// One more loss; its share of the total.
  ///
  /// - Parameters:
  ///   - role: Of the share.
  ///   - main: The loss at the model's end, which the data's targets are for.
  ///   - end: What it reads.
  private mutating func attach(
    _ term: AuxiliaryLoss, _ role: ValueRole, beside main: LossSpec, of end: Flow
  ) throws -> ValueID {
    let spec = LayerSpec(.activation(.identity), place: term.place)
    let site = LayerSite(spec: spec, path: "auxiliary_losses.\(term.output)", reluFollows: false)
    let flow = try flow(named: term.output, site)
    guard flow.lengths == nil else {
      throw site.fault(
        "judges every step of padded sequences", expected: "an output of the whole sample",
        remedy: "put last_step or global_average_pool before it")
    }
    try check(term, flow.shape, site)
    var inputs = [flow.value]
    if let name = term.target {
      inputs.append(try value(named: name, like: flow, site))
    } else if term.kind.readsTargets || term.kind.readsClasses {
      try checkTargets(of: term.kind, main, flow.shape, end.shape, site)
    }
    let positions = term.kind.positions(of: flow.shape)
    let shape = LossTermShape(
      kind: term.kind, positions: positions, channels: flow.elementCount / positions,
      width: flow.shape.last ?? 1, weight: term.weight, hasTarget: inputs.count > 1)
    if !shape.hasTarget, term.kind.readsTargets || term.kind.readsClasses {
      inputs.append(dataTarget(of: end))
    }
    let losses = addValue(.activation, elementCount: positions)
    let gradient = addValue(.activation, elementCount: flow.elementCount)
    add(.lossTerm(shape), inputs, to: [losses, gradient], site)
    let share = addValue(role, elementCount: 1)
    add(.sumLosses(positions: positions), [losses], to: [share], site)
    return share
  }

  /// - Throws: When the data's targets, which are for the model's end, are not what the loss inside can read.
  private func checkTargets(
    of kind: AuxiliaryLossKind, _ main: LossSpec, _ shape: [Int], _ end: [Int], _ site: LayerSite
  ) throws {
    if kind.readsTargets, shape != end {
      throw site.fault(
        "compares an output of shape \(shape) with the targets of the model's end, \(end)",
        expected: "an output of the same shape",
        remedy: "end this part with a layer like the model's last, or set a target")
    }
    if main.ignoredClass != nil {
      throw site.fault(
        "reads targets in which the main loss leaves out a class",
        expected: "a main loss without ignore, other than ctc", remedy: "set a target")
    }
    let (asked, given) = (kind.positions(of: shape), main.positions(of: end))
    if kind.takesClasses, asked != given {
      throw site.fault(
        "asks for \(asked) classes of a sample, but the main loss for \(given)",
        expected: "two losses that read as many classes", remedy: "change one of them")
    }
  }

  private func check(_ term: AuxiliaryLoss, _ shape: [Int], _ site: LayerSite) throws {
    if !term.kind.readsTargets, let target = term.target {
      throw site.fault(
        "compares the output with \(target), but the loss is of the output alone",
        expected: "no target", remedy: "remove target")
    }
    if case .loss(let loss) = term.kind, let weights = loss.classWeights {
      let outputs = shape.reduce(1, *) / term.kind.positions(of: shape)
      guard weights.count == outputs else {
        throw site.fault(
          "has \(weights.count) class_weights for \(outputs) outputs",
          expected: "one weight per output", remedy: "make the list \(outputs) long")
      }
    }
    switch term.kind {
    case .loss(let loss) where loss.ignoredClass != nil || loss.spellsLabels:
      throw site.fault(
        "leaves out classes, or reads labels of whole sequences",
        expected: "a loss for every answer", remedy: "make it the main loss, or remove ignore")
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

  /// What each position counts, where it is not the same for all.
  private mutating func addWeights(
    _ positions: Int, _ target: ValueID, _ lengths: ValueID?, _ ignored: Int?, _ site: LayerSite
  ) -> [ValueID] {
    guard lengths != nil || ignored != nil else { return [] }
    let weights = append(
      .answerWeights(positions: positions, ignored: ignored),
      [target] + (lengths.map { [$0] } ?? []), [positions], site)
    return [weights.value]
  }

  private mutating func attachTemporal(
    labels: Int, to end: Flow, _ role: ValueRole, _ site: LayerSite
  ) throws -> ValueID {
    guard end.shape.count == 2, end.shape[1] > 1 else {
      throw Diagnostic(
        place: "loss", problem: "ctc reads logits of every step, the model ends in \(end.shape)",
        expected: "a sequence [steps, classes], with the blank as class 0",
        remedy: "end the model with a dense layer over the steps, one unit more than labels")
    }
    let shape = TemporalShape(steps: end.shape[0], classes: end.shape[1], labels: labels)
    let target = addValue(.target, elementCount: labels)
    setTarget(target)
    let losses = addValue(.activation, elementCount: 1)
    let gradient = addValue(.activation, elementCount: end.elementCount)
    let operands = [end.value, target] + (end.lengths.map { [$0] } ?? [])
    add(.temporalLoss(shape), operands, to: [losses, gradient], site)
    let share = addValue(role, elementCount: 1)
    add(.sumLosses(positions: 1), [losses], to: [share], site)
    add(.countSpelled(shape), operands, to: [addValue(.correctShare, elementCount: 1)], site)
    return share
  }

  /// - Throws: When single steps are to be left out of what has no steps.
  private func checkSteps(of end: Flow, _ loss: LossSpec) throws {
    if end.lengths != nil, end.shape.count != 2 {
      throw Diagnostic(
        place: "loss", problem: "the model ends in padded sequences of shape \(end.shape)",
        expected: "an answer for every step, [steps, outputs], or one for each sample",
        remedy: "end the model with a dense layer, or with last_step and a dense layer")
    }
    if loss.ignoredClass != nil, end.shape.count != 2 {
      throw Diagnostic(
        place: "loss", problem: "ignore leaves out steps, the model ends in \(end.shape)",
        expected: "logits of every step, [steps, classes]",
        remedy: "remove ignore, and from the data the samples without a class")
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
    case (.softmax, .ctc):
      throw site.fault(
        "stands before ctc, which applies softmax itself",
        expected: "logits at the end of the model", remedy: "remove this softmax layer")
    default: return
    }
  }
}

extension LossSpec {
  /// How many answers a sample's outputs of that shape hold: one for every step of a sequence of logits, one for all
  /// numbers of other losses unless sequences are padded.
  package func positions(of shape: [Int], arePadded: Bool = false) -> Int {
    if arePadded { return shape[0] }
    guard case .softmaxCrossEntropy = self else { return 1 }
    return shape.dropLast().reduce(1, *)
  }

  /// Whether an output can be right or wrong.
  package var countsRightAnswers: Bool {
    switch self {
    case .softmaxCrossEntropy, .sigmoidCrossEntropy, .ctc: true
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

  /// Whether class numbers may be what it reads of the data.
  fileprivate var takesClasses: Bool {
    if case .loss(let loss) = self { loss.takesClasses } else { false }
  }

  /// Whether it compares the output with the data's targets if with no other layer.
  package var readsTargets: Bool {
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
