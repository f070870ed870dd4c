import Graph
import Kernels

extension LossTermShape {
  fileprivate func scratchCount(rows: Int) -> Int {
    switch kind {
    case .loss(.pairwise(.infoNCE)): infoNCEScratchCount(rows: rows)
    case .gram: gramScratchCount(channels: width)
    default: 0
    }
  }
}

extension OperationKind {
  /// Elements of scratch memory that the operation's kernel asks for.
  func scratchCount<S: Scalar>(
    rows: Int, convolution: ConvolutionPlan?, scalar: S.Type
  ) -> Int {
    switch self {
    case .dense(let inputs, let units, let positions):
      matrixProductScratchCount(
        MatrixShape(rows: rows * positions, columns: units, depth: inputs), of: scalar)
    case .denseInputGradient(let inputs, let units, let positions):
      matrixProductScratchCount(
        MatrixShape(rows: rows * positions, columns: inputs, depth: units), of: scalar)
    case .denseWeightGradient(let inputs, let units, let positions):
      treeProductScratchCount(
        MatrixShape(rows: inputs, columns: units, depth: rows * positions), of: scalar)
    case .tiedDense(let inputs, let units, let positions):
      matrixProductScratchCount(
        MatrixShape(rows: rows * positions, columns: units, depth: inputs), of: scalar)
    case .recurrence(let shape), .recurrenceGradient(let shape),
      .recurrenceWeightGradient(let shape):
      recurrenceScratchCount(shape, sequences: rows, of: scalar)
    case .attention(let shape), .attentionGradient(let shape):
      attentionScratchCount(shape, of: scalar)
    case .temporalLoss(let shape): temporalLossScratchCount(shape, of: scalar)
    case .convolution:
      convolution.map { convolutionScratchCount($0, images: rows, of: scalar) } ?? 0
    case .convolutionInputGradient:
      convolution.map { convolutionInputGradientScratchCount($0, images: rows, of: scalar) } ?? 0
    case .convolutionWeightGradient:
      convolution.map { convolutionWeightGradientScratchCount($0, images: rows, of: scalar) } ?? 0
    case .loss(.pairwise(.infoNCE), _, _): infoNCEScratchCount(rows: rows)
    case .lossTerm(let shape): shape.scratchCount(rows: rows)
    default: imageScratchCount(of: scalar)
    }
  }
}
