import Graph
import Kernels
import Storage

// Shapes: N samples of P positions each, O outputs at each; rows are positions of all samples, N P of them.

extension ShardEngine {
  func runLoss(_ index: Int) {
    switch operations[index].kind {
    case .loss(let spec, let outputs, let positions):
      runLoss(
        spec, outputs, positions: positions, target: target(index), factor: 1,
        weights: inputCount(index) > 2 ? input(index, 2) : nil, index)
    case .lossTerm(let shape): runLossTerm(shape, index)
    case .temporalLoss(let shape): runTemporalLoss(shape, index)
    case .answerWeights(let positions, let ignored):
      Kernels.answerWeights(
        samples: rows, positions: positions, classes: ignored == nil ? nil : classesInHand,
        ignored: Int32(ignored ?? 0), lengths: inputCount(index) > 1 ? input(index, 1) : nil,
        into: output(index))
    case .sumLosses(let positions): output(index)[0] = sumLosses(positions: positions, index)
    case .sumShares:
      output(index)[0] = S((0..<inputCount(index)).reduce(0.0) { $0 + Double(input(index, $1)[0]) })
    case .countCorrect(let spec, let outputs, let positions):
      output(index)[0] = countCorrect(spec, outputs, positions: positions, index)
    case .countSpelled(let shape):
      output(index)[0] = S(
        Kernels.countSpelled(
          shape, samples: rows, outputs: input(index, 0), labels: classesInHand,
          lengths: lengths(index)))
    default: preconditionFailure("\(operations[index].kind.name) is no loss")
    }
  }

  /// Whether a sample's steps spell its labels; nil where the loss is another.
  package func isSpelled(_ sample: Int) -> Bool? {
    guard let index = operations.firstIndex(where: { $0.kind.isLoss }),
      case .temporalLoss(let shape) = operations[index].kind
    else { return nil }
    let elements = shape.steps * shape.classes
    let right = Kernels.countSpelled(
      shape, samples: 1, outputs: input(index, 0)[sample * elements..<(sample + 1) * elements],
      labels: classesInHand[sample * shape.labels..<(sample + 1) * shape.labels],
      lengths: lengths(index)?[sample..<sample + 1])
    return right == 1
  }

  /// Of the steps that count, where sequences are padded.
  private func lengths(_ index: Int) -> Block<S>? {
    inputCount(index) > 2 ? input(index, 2) : nil
  }

  /// - Parameters:
  ///   - target: What the outputs are compared with; nil: the data's targets.
  ///   - factor: Of the gradient, beside one over the batch and the positions.
  ///   - weights: What each position counts; nil: all the same.
  private func runLoss(
    _ spec: LossSpec, _ outputs: Int, positions: Int, target: Block<S>?, factor: S,
    weights: Block<S>?, _ index: Int
  ) {
    let gradient = operations[index].outputs.count > 1 ? output(index, 1) : nil
    guard let weights else {
      runLoss(
        spec, outputs, 0..<rows * positions, target,
        scale: factor / (S(batchSize) * S(positions)), index, gradient)
      return
    }
    output(index).fill(0)
    gradient?.fill(0)
    forEachCountedRun(of: weights) { rows, weight in
      runLoss(
        spec, outputs, rows, target, scale: factor * weight / S(batchSize), index, gradient)
    }
  }

  /// The losses of the rows `range`.
  private func runLoss(
    _ spec: LossSpec, _ outputs: Int, _ range: Range<Int>, _ target: Block<S>?, scale: S,
    _ index: Int, _ gradient: Block<S>?
  ) {
    let rows = range.count
    let columns = range.lowerBound * outputs..<range.upperBound * outputs
    let z = input(index, 0)[columns]
    let losses = output(index)[range]
    let targets = target ?? targetsInHand
    let classWeights = classWeights[index]?.block
    let gradient = gradient.map { $0[columns] }
    switch spec {
    case .softmaxCrossEntropy(let smoothing, _, _) where usesClasses && target == nil:
      softmaxCrossEntropy(
        logits: z, classes: classesInHand[range], rows: rows, channels: outputs,
        labelSmoothing: S(smoothing), classWeights: classWeights, scale: scale, losses: losses,
        gradient: gradient)
    case .softmaxCrossEntropy(let smoothing, _, _):
      softmaxCrossEntropy(
        logits: z, targets: targets[columns], rows: rows, channels: outputs,
        labelSmoothing: S(smoothing), classWeights: classWeights, scale: scale, losses: losses,
        gradient: gradient)
    case .sigmoidCrossEntropy:
      sigmoidCrossEntropy(
        logits: z, targets: targets[columns], rows: rows, channels: outputs,
        positiveWeights: classWeights, scale: scale, losses: losses, gradient: gradient)
    case .meanSquared:
      meanSquared(
        outputs: z, targets: targets[columns], rows: rows, channels: outputs, scale: scale,
        losses: losses, gradient: gradient)
    case .meanAbsolute:
      meanAbsolute(
        outputs: z, targets: targets[columns], rows: rows, channels: outputs, scale: scale,
        losses: losses, gradient: gradient)
    case .huber(let delta):
      huber(
        outputs: z, targets: targets[columns], rows: rows, channels: outputs, delta: S(delta),
        scale: scale, losses: losses, gradient: gradient)
    case .pairwise(let pairwise): runPairwise(pairwise, outputs, scale: scale, index)
    case .ctc: preconditionFailure("ctc is an operation of its own")
    }
  }

  private func runPairwise(_ spec: PairwiseLoss, _ outputs: Int, scale: S, _ index: Int) {
    let (z, losses) = (input(index, 0), output(index))
    let gradient = operations[index].outputs.count > 1 ? output(index, 1) : nil
    let channels = outputs / (spec.entries ?? 1)
    switch spec {
    case .triplet(let margin):
      tripletLoss(
        outputs: z, rows: rows, channels: channels, margin: S(margin), scale: scale, losses: losses,
        gradient: gradient)
    case .hardTriplet(let margin):
      hardTripletLoss(
        outputs: z, classes: classesInHand, rows: rows, channels: channels, margin: S(margin),
        scale: scale, losses: losses, gradient: gradient)
    case .contrastive(let margin):
      contrastiveLoss(
        outputs: z, classes: classesInHand, rows: rows, channels: channels, margin: S(margin),
        scale: scale, losses: losses, gradient: gradient)
    case .infoNCE(let temperature):
      infoNCELoss(
        outputs: z, rows: rows, channels: channels, temperature: S(temperature), scale: scale,
        losses: losses, gradient: gradient, scratch: scratch)
    }
  }

  /// What another operation gave, where outputs are compared with that and not with the data's targets.
  private func target(_ index: Int) -> Block<S>? {
    let value = operations[index].inputs[1]
    return plan.graph[value].role == .target ? nil : block(value)
  }

  private func runLossTerm(_ shape: LossTermShape, _ index: Int) {
    let (z, losses, gradient) = (input(index, 0), output(index), output(index, 1))
    let scale = S(shape.weight) / (S(batchSize) * S(shape.positions))
    let target = shape.hasTarget ? input(index, 1) : nil
    let positions = shape.channels / shape.width
    switch shape.kind {
    case .loss(let spec):
      runLoss(
        spec, shape.channels, positions: shape.positions, target: target,
        factor: S(shape.weight), weights: nil, index)
    case .cosine:
      cosineLoss(
        outputs: z, targets: target ?? targetsInHand, rows: rows * shape.positions,
        channels: shape.channels, scale: scale, losses: losses, gradient: gradient)
    case .klDivergence:
      gaussianDivergence(
        outputs: z, rows: rows, positions: positions, channels: shape.width / 2, scale: scale,
        losses: losses, gradient: gradient)
    case .gram:
      gramLoss(
        outputs: z, targets: target ?? targetsInHand, rows: rows, positions: positions,
        channels: shape.width, scale: scale, losses: losses, gradient: gradient, scratch: scratch)
    }
    for row in 0..<losses.count { losses[row] *= S(shape.weight) }
  }

  private func runTemporalLoss(_ shape: TemporalShape, _ index: Int) {
    connectionistTemporalLoss(
      shape, samples: rows, logits: input(index, 0), labels: classesInHand,
      lengths: lengths(index), scale: 1 / S(batchSize), losses: output(index),
      gradient: operations[index].outputs.count > 1 ? output(index, 1) : nil,
      scratch: scratch)
  }

  private func sumLosses(positions: Int, _ index: Int) -> S {
    let losses = input(index, 0)
    guard inputCount(index) > 1 else { return S(sumInOrder(losses) / Double(positions)) }
    return S(sumInOrder(losses, weights: input(index, 1)))
  }

  /// Right answers; of several in a sample each counts as a fraction of it.
  private func countCorrect(
    _ spec: LossSpec, _ outputs: Int, positions: Int, _ index: Int
  ) -> S {
    guard inputCount(index) > 2 else {
      let right = countRight(spec, outputs, 0..<rows * positions, index)
      if case .sigmoidCrossEntropy = spec { return S(right) / S(outputs) }
      return S(right) / S(positions)
    }
    var total = 0.0
    forEachCountedRun(of: input(index, 2)) { rows, weight in
      total += Double(weight) * Double(countRight(spec, outputs, rows, index))
    }
    if case .sigmoidCrossEntropy = spec { return S(total / Double(outputs)) }
    return S(total)
  }

  /// Right answers among the rows `range`.
  private func countRight(
    _ spec: LossSpec, _ outputs: Int, _ range: Range<Int>, _ index: Int
  ) -> Int {
    let columns = range.lowerBound * outputs..<range.upperBound * outputs
    let z = input(index, 0)[columns]
    if case .sigmoidCrossEntropy = spec {
      return countRightSides(outputs: z, targets: targetsInHand[columns], count: columns.count)
    }
    if usesClasses {
      return countRightClasses(
        outputs: z, classes: classesInHand[range], samples: range.count, channels: outputs)
    }
    return countRightClasses(
      outputs: z, targets: targetsInHand[columns], samples: range.count, channels: outputs)
  }

  /// Calls `body` with stretches of rows that count the same and more than nothing, first to last.
  private func forEachCountedRun(of weights: Block<S>, _ body: (Range<Int>, S) -> Void) {
    var start = 0
    while start < weights.count {
      let weight = weights[start]
      var end = start + 1
      while end < weights.count, weights[end] == weight { end += 1 }
      if weight > 0 { body(start..<end, weight) }
      start = end
    }
  }
}
