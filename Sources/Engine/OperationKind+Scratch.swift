import Graph
import Kernels

extension OperationKind {
  /// Elements of scratch memory that the operation's kernel asks for.
  func scratchCount<S: Scalar>(
    rows: Int, convolution: ConvolutionPlan?, scalar: S.Type
  ) -> Int {
    switch self {
    case .dense(let inputs, let units):
      matrixProductScratchCount(
        MatrixShape(rows: rows, columns: units, depth: inputs), of: scalar)
    case .denseInputGradient(let inputs, let units):
      matrixProductScratchCount(
        MatrixShape(rows: rows, columns: inputs, depth: units), of: scalar)
    case .denseWeightGradient(let inputs, let units):
      matrixProductScratchCount(
        MatrixShape(rows: inputs, columns: units, depth: rows), of: scalar)
    case .convolution:
      convolution.map { convolutionScratchCount($0, images: rows, of: scalar) } ?? 0
    case .convolutionInputGradient:
      convolution.map { convolutionInputGradientScratchCount($0, images: rows, of: scalar) } ?? 0
    case .convolutionWeightGradient:
      convolution.map { convolutionWeightGradientScratchCount($0, images: rows, of: scalar) } ?? 0
    default: imageScratchCount(of: scalar)
    }
  }
}
