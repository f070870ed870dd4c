import Diagnostics

// The loss at the end.

extension GraphBuilder {
  /// Puts the loss, its total and the count of right answers after the last layer.
  mutating func attach(_ loss: LossSpec, to end: Flow, layers: [LayerSpec]) throws {
    if let last = layers.last { try checkEnd(last, index: layers.count - 1, loss) }
    let site = LayerSite(
      spec: LayerSpec(.activation(.identity), place: "loss"), path: "loss", reluFollows: false)
    if case .ctc(let labels) = loss { return try attachTemporal(labels: labels, to: end, site) }
    try checkSteps(of: end, loss)
    let positions = loss.positions(of: end.shape, arePadded: end.lengths != nil)
    let outputs = end.elementCount / positions
    let target = addValue(.target, elementCount: end.elementCount)
    setTarget(target)
    let weights = addWeights(positions, target, end.lengths, loss.ignoredClass, site)
    let losses = addValue(.activation, elementCount: positions)
    let gradient = addValue(.activation, elementCount: end.elementCount)
    add(
      .loss(loss, outputs: outputs, positions: positions), [end.value, target] + weights,
      to: [losses, gradient], site)
    let total = addValue(.lossShare, elementCount: 1)
    add(.sumLosses(positions: positions), [losses] + weights, to: [total], site)
    guard loss.countsRightAnswers else { return }
    add(
      .countCorrect(loss, outputs: outputs, positions: positions), [end.value, target] + weights,
      to: [addValue(.correctShare, elementCount: 1)], site)
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

  private mutating func attachTemporal(labels: Int, to end: Flow, _ site: LayerSite) throws {
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
    add(.sumLosses(positions: 1), [losses], to: [addValue(.lossShare, elementCount: 1)], site)
    add(.countSpelled(shape), operands, to: [addValue(.correctShare, elementCount: 1)], site)
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
    case .meanSquared, .meanAbsolute, .huber: false
    }
  }
}
