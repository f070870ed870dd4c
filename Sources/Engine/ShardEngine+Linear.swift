import Graph
import Kernels
import Storage

// Dense layers and convolutions, forward and backward. Dense weights lie as [inputs, units].

extension ShardEngine {
  func runLinear(_ index: Int) {
    switch operations[index].kind {
    case .dense(let inputs, let units, let positions):
      matrixProduct(
        MatrixShape(rows: rows * positions, columns: units, depth: inputs), a: input(index, 0),
        aRowStride: inputs, aDepthStride: 1, b: input(index, 1), bDepthStride: units,
        bColumnStride: 1, bias: bias(index), into: output(index), cRowStride: units,
        accumulate: false, scratch: scratch)
    case .denseInputGradient(let inputs, let units, let positions):
      matrixProduct(
        MatrixShape(rows: rows * positions, columns: inputs, depth: units), a: input(index, 0),
        aRowStride: units, aDepthStride: 1, b: input(index, 1), bDepthStride: 1,
        bColumnStride: units, bias: nil, into: output(index), cRowStride: inputs,
        accumulate: false, scratch: scratch)
    case .denseWeightGradient(let inputs, let units, let positions):
      matrixProduct(
        MatrixShape(rows: inputs, columns: units, depth: rows * positions), a: input(index, 0),
        aRowStride: 1, aDepthStride: inputs, b: input(index, 1), bDepthStride: units,
        bColumnStride: 1, bias: nil, into: output(index), cRowStride: units,
        accumulate: false, scratch: scratch)
    case .biasGradient(let channels):
      let (gradient, sums) = (input(index, 0), output(index))
      columnSums(
        of: gradient, rows: gradient.count / channels, channels: channels,
        into: sums.prefix(channels))
      // Positions that no sequence in hand reaches.
      if sums.count > channels { sums[channels..<sums.count].fill(0) }
    default: runConvolution(index)
    }
  }

  private func runConvolution(_ index: Int) {
    let plan = convolution(index)
    switch operations[index].kind {
    case .convolution: convolve(index, input(index, 0))
    case .convolutionInputGradient:
      convolveInputGradient(
        plan, images: rows, outputGradient: input(index, 0), weights: input(index, 1),
        into: output(index), scratch: scratch)
    case .convolutionWeightGradient:
      convolveWeightGradient(
        plan, images: rows, input: input(index, 0), outputGradient: input(index, 1),
        into: output(index), scratch: scratch)
    default: preconditionFailure("\(operations[index].kind.name) is not linear")
    }
  }

  /// - Parameter images: What the operation reads in place of its first input.
  func convolve(_ index: Int, _ images: Block<S>) {
    Kernels.convolve(
      convolution(index), images: rows, input: images, weights: input(index, 1),
      bias: bias(index), into: output(index), scratch: scratch)
  }

  private func convolution(_ index: Int) -> ConvolutionPlan {
    guard let plan = convolutions[index] else { preconditionFailure("convolution without a plan") }
    return plan
  }

  private func bias(_ index: Int) -> Block<S>? {
    inputCount(index) > 2 ? input(index, 2) : nil
  }
}

extension OperationKind {
  var geometry: ConvolutionGeometry? {
    switch self {
    case .convolution(let geometry), .convolutionInputGradient(let geometry),
      .convolutionWeightGradient(let geometry):
      geometry
    default: nil
    }
  }

  /// The weights of classes or positive answers in the loss.
  var classWeights: [Double]? {
    switch self {
    case .loss(let spec, _, _): return spec.classWeights
    case .lossTerm(let shape):
      if case .loss(let spec) = shape.kind { return spec.classWeights }
      return nil
    default: return nil
    }
  }
}
