import Graph
import Kernels
import Storage

extension ShardEngine {
  func runLoss(_ index: Int) {
    switch operations[index].kind {
    case .loss(let spec, let outputs, let positions):
      runLoss(spec, outputs, positions: positions, index)
    case .sumLosses(let positions):
      let losses = input(index, 0)
      var total = 0.0
      for row in 0..<losses.count { total += Double(losses[row]) }
      output(index)[0] = S(total / Double(positions))
    case .countCorrect(let spec, let outputs, let positions):
      output(index)[0] = countCorrect(spec, outputs, positions: positions, index)
    default: preconditionFailure("\(operations[index].kind.name) is no loss")
    }
  }

  private func runLoss(_ spec: LossSpec, _ outputs: Int, positions: Int, _ index: Int) {
    let rows = rows * positions
    let z = input(index, 0)
    let losses = output(index)
    let gradient = operations[index].outputs.count > 1 ? output(index, 1) : nil
    let scale = 1 / (S(batchSize) * S(positions))
    switch spec {
    case .softmaxCrossEntropy(let smoothing, _) where usesClasses:
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
    }
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
