import Graph
import Kernels
import Storage

extension ShardEngine {
  func runLoss(_ index: Int) {
    switch operations[index].kind {
    case .loss(let spec, let outputs, let positions):
      runLoss(
        spec, outputs, positions: positions, target: target(index),
        scale: 1 / (S(batchSize) * S(positions)), index)
    case .lossTerm(let shape): runLossTerm(shape, index)
    case .sumLosses(let positions):
      let losses = input(index, 0)
      var total = 0.0
      for row in 0..<losses.count { total += Double(losses[row]) }
      total /= Double(positions)
      for share in 1..<inputCount(index) { total += Double(input(index, share)[0]) }
      output(index)[0] = S(total)
    case .countCorrect(let spec, let outputs, let positions):
      output(index)[0] = countCorrect(spec, outputs, positions: positions, index)
    default: preconditionFailure("\(operations[index].kind.name) is no loss")
    }
  }

  /// - Parameters:
  ///   - target: What the outputs are compared with; nil: the data's targets.
  ///   - scale: Factor of the gradient.
  private func runLoss(
    _ spec: LossSpec, _ outputs: Int, positions: Int, target: Block<S>?, scale: S, _ index: Int
  ) {
    let rows = rows * positions
    let z = input(index, 0)
    let targets = target ?? targets
    let classWeights = classWeights[index]?.block
    let losses = output(index)
    let gradient = operations[index].outputs.count > 1 ? output(index, 1) : nil
    switch spec {
    case .softmaxCrossEntropy(let smoothing, _) where usesClasses && target == nil:
      softmaxCrossEntropy(
        logits: z, classes: classes, rows: rows, channels: outputs, labelSmoothing: S(smoothing),
        classWeights: classWeights, scale: scale, losses: losses, gradient: gradient)
    case .softmaxCrossEntropy(let smoothing, _):
      softmaxCrossEntropy(
        logits: z, targets: targets, rows: rows, channels: outputs, labelSmoothing: S(smoothing),
        classWeights: classWeights, scale: scale, losses: losses, gradient: gradient)
    case .sigmoidCrossEntropy:
      sigmoidCrossEntropy(
        logits: z, targets: targets, rows: rows, channels: outputs, positiveWeights: classWeights,
        scale: scale, losses: losses, gradient: gradient)
    case .meanSquared:
      meanSquared(
        outputs: z, targets: targets, rows: rows, channels: outputs, scale: scale, losses: losses,
        gradient: gradient)
    case .meanAbsolute:
      meanAbsolute(
        outputs: z, targets: targets, rows: rows, channels: outputs, scale: scale, losses: losses,
        gradient: gradient)
    case .huber(let delta):
      huber(
        outputs: z, targets: targets, rows: rows, channels: outputs, delta: S(delta), scale: scale,
        losses: losses, gradient: gradient)
    case .pairwise(let pairwise): runPairwise(pairwise, outputs, scale: scale, index)
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
        outputs: z, classes: classes, rows: rows, channels: channels, margin: S(margin),
        scale: scale, losses: losses, gradient: gradient)
    case .contrastive(let margin):
      contrastiveLoss(
        outputs: z, classes: classes, rows: rows, channels: channels, margin: S(margin),
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
        spec, shape.channels, positions: shape.positions, target: target, scale: scale, index)
    case .cosine:
      cosineLoss(
        outputs: z, targets: target ?? targets, rows: rows * shape.positions,
        channels: shape.channels, scale: scale, losses: losses, gradient: gradient)
    case .klDivergence:
      gaussianDivergence(
        outputs: z, rows: rows, positions: positions, channels: shape.width / 2, scale: scale,
        losses: losses, gradient: gradient)
    case .gram:
      gramLoss(
        outputs: z, targets: target ?? targets, rows: rows, positions: positions,
        channels: shape.width, scale: scale, losses: losses, gradient: gradient, scratch: scratch)
    }
    for row in 0..<losses.count { losses[row] *= S(shape.weight) }
  }

  /// Right answers; of several in a sample each counts as a fraction of it.
  private func countCorrect(
    _ spec: LossSpec, _ outputs: Int, positions: Int, _ index: Int
  ) -> S {
    let z = input(index, 0)
    let rows = rows * positions
    switch spec {
    case .sigmoidCrossEntropy:
      let right = countRightSides(outputs: z, targets: targets, count: rows * outputs)
      return S(right) / S(outputs)
    default:
      if usesClasses {
        let right = countRightClasses(
          outputs: z, classes: classes, samples: rows, channels: outputs)
        return S(right) / S(positions)
      }
      let right = countRightClasses(outputs: z, targets: targets, samples: rows, channels: outputs)
      return S(right) / S(positions)
    }
  }
}
