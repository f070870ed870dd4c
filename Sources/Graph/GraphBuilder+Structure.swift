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

  /// Puts the loss, its total and the count of right answers after the last layer.
  mutating func attach(_ loss: LossSpec, to end: Flow, layers: [LayerSpec]) throws {
    if let last = layers.last { try checkEnd(last, index: layers.count - 1, loss) }
    let positions = loss.positions(of: end.shape)
    let outputs = end.elementCount / positions
    let site = LayerSite(
      spec: LayerSpec(.activation(.identity), place: "loss"), path: "loss", reluFollows: false)
    let target = addValue(.target, elementCount: end.elementCount)
    setTarget(target)
    let losses = addValue(.activation, elementCount: positions)
    let gradient = addValue(.activation, elementCount: end.elementCount)
    add(
      .loss(loss, outputs: outputs, positions: positions), [end.value, target],
      to: [losses, gradient], site)
    let total = addValue(.lossShare, elementCount: 1)
    add(.sumLosses(positions: positions), [losses], to: [total], site)
    guard loss.countsRightAnswers else { return }
    add(
      .countCorrect(loss, outputs: outputs, positions: positions), [end.value, target],
      to: [addValue(.correctShare, elementCount: 1)], site)
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
    case .meanSquared, .meanAbsolute, .huber: false
    }
  }
}
