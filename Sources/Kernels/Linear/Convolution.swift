import Graph
import Storage

// Shapes: N images; input [N, H, W, Cin]; output [N, H', W', Cout]; weights [kh, kw, Cin / groups, Cout].

/// `output[n, y, x, co] = bias[co] + sum over taps and channels of input * weights`.
///
/// Source: the operation every framework calls a two-dimensional convolution, a cross-correlation. Taps
/// in the padding are left out instead of multiplied by zeros; nothing is copied but the weights.
///
/// - Parameters:
///   - bias: `[Cout]`.
///   - output: Overwritten; overlaps nothing else.
///   - scratch: At least `convolutionScratchCount` elements.
/// - Complexity: `plan.multiplyAddCount` per image, no allocation. Each pixel's bits depend on its own
///   window alone, not on the number of images.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func convolve<S: Scalar>(
  _ plan: ConvolutionPlan, images: Int, input: Block<S>, weights: Block<S>, bias: Block<S>? = nil,
  into output: Block<S>, scratch: Block<S>
) {
  let geometry = plan.geometry
  precondition(input.count >= images * geometry.inputCount, "input of \(input.count) elements")
  precondition(output.count >= images * geometry.outputCount, "output of \(output.count) elements")
  precondition(weights.count >= geometry.weightCount, "weights of \(weights.count) elements")
  precondition(
    scratch.count >= convolutionScratchCount(plan, images: images, of: S.self),
    "scratch of \(scratch.count) elements")
  if plan.isMatrixProduct {
    matrixProduct(
      plan.pixelProduct(images: images), a: input, aRowStride: geometry.inputChannels,
      aDepthStride: 1, b: weights, bDepthStride: geometry.outputChannels, bColumnStride: 1,
      bias: bias, into: output, cRowStride: geometry.outputChannels, scratch: scratch)
  } else if let tiles = plan.forwardTiles {
    convolveByTiles(
      tiles, images: images, source: input, weights: weights.base, bias: bias, into: output,
      WinogradWorkspace(scratch, tiles))
  } else if let lines = plan.forwardLines {
    LineProduct(plan: lines, images: images, source: input, target: output, scratch: scratch)
      .run(weights: weights, bias: bias)
  } else {
    let slide = SlidingProduct(
      plan: plan.forward, images: images, source: input.base, weights: weights.base,
      bias: bias?.base, target: output.base, workspace: TileWorkspace(scratch))
    slide.run()
  }
}

/// `inputGradient[n, y, x, ci] = sum over the taps that read it of outputGradient * weights`.
///
/// - Parameters:
///   - inputGradient: Overwritten as a whole; inputs that no window reads get zero.
///   - scratch: At least `convolutionInputGradientScratchCount` elements.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func convolveInputGradient<S: Scalar>(
  _ plan: ConvolutionPlan, images: Int, outputGradient: Block<S>, weights: Block<S>,
  into inputGradient: Block<S>, scratch: Block<S>
) {
  let geometry = plan.geometry
  precondition(outputGradient.count >= images * geometry.outputCount, "\(outputGradient.count)")
  precondition(inputGradient.count >= images * geometry.inputCount, "\(inputGradient.count)")
  precondition(weights.count >= geometry.weightCount, "weights of \(weights.count) elements")
  precondition(
    scratch.count >= convolutionInputGradientScratchCount(plan, images: images, of: S.self),
    "scratch of \(scratch.count) elements")
  if plan.isMatrixProduct {
    var shape = plan.pixelProduct(images: images)
    swap(&shape.columns, &shape.depth)
    matrixProduct(
      shape, a: outputGradient, aRowStride: geometry.outputChannels, aDepthStride: 1, b: weights,
      bDepthStride: 1, bColumnStride: geometry.outputChannels, into: inputGradient,
      cRowStride: geometry.inputChannels, scratch: scratch)
  } else if let tiles = plan.inputGradientTiles {
    inputGradientByTiles(
      tiles, images: images, outputGradient: outputGradient, weights: weights,
      into: inputGradient, scratch: scratch)
  } else if let lines = plan.inputGradientLines {
    LineProduct(
      plan: lines, images: images, source: outputGradient, target: inputGradient, scratch: scratch
    ).run(weights: weights, bias: nil)
  } else {
    let slide = SlidingProduct(
      plan: plan.inputGradient, images: images, source: outputGradient.base, weights: weights.base,
      bias: nil, target: inputGradient.base, workspace: TileWorkspace(scratch))
    slide.run()
  }
}

/// `weightGradient[ty, tx, ci, co] = sum over images and outputs of input * outputGradient`.
///
/// - Parameters:
///   - weightGradient: Overwritten as a whole; equal calls give equal bits.
///   - scratch: At least `convolutionWeightGradientScratchCount` elements.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func convolveWeightGradient<S: Scalar>(
  _ plan: ConvolutionPlan, images: Int, input: Block<S>, outputGradient: Block<S>,
  into weightGradient: Block<S>, scratch: Block<S>
) {
  let geometry = plan.geometry
  precondition(outputGradient.count >= images * geometry.outputCount, "\(outputGradient.count)")
  precondition(input.count >= images * geometry.inputCount, "input of \(input.count) elements")
  precondition(weightGradient.count >= geometry.weightCount, "\(weightGradient.count) elements")
  precondition(
    scratch.count >= convolutionWeightGradientScratchCount(plan, images: images, of: S.self),
    "scratch of \(scratch.count) elements")
  if plan.isMatrixProduct {
    let pixels = plan.pixelProduct(images: images)
    matrixProduct(
      MatrixShape(rows: pixels.depth, columns: pixels.columns, depth: pixels.rows), a: input,
      aRowStride: 1, aDepthStride: geometry.inputChannels, b: outputGradient,
      bDepthStride: geometry.outputChannels, bColumnStride: 1, into: weightGradient,
      cRowStride: geometry.outputChannels, scratch: scratch)
  } else if let tiles = plan.forwardTiles {
    weightGradientByTiles(
      tiles, images: images, input: input, outputGradient: outputGradient, into: weightGradient,
      scratch: scratch)
  } else if let windows = plan.weightGradientWindows {
    OutputWindowProduct(
      plan: windows, input: input, outputGradient: outputGradient, scratch: scratch
    ).run(images: images, into: weightGradient.base)
  } else {
    let product = WeightGradientProduct(
      plan: plan.forward, images: images, input: input.base, outputGradient: outputGradient.base,
      target: weightGradient.base, workspace: TileWorkspace(scratch))
    product.run()
  }
}

/// The scratch of `convolve`, in elements; never less for more images.
package func convolutionScratchCount<S: Scalar>(
  _ plan: ConvolutionPlan, images: Int, of type: S.Type
) -> Int {
  if let tiles = plan.forwardTiles {
    return WinogradWorkspace<S>.elementCount(tiles, turnsWeights: false)
  }
  if let lines = plan.forwardLines { return LineProduct<S>.scratchCount(lines) }
  return plan.isMatrixProduct
    ? matrixProductScratchCount(plan.pixelProduct(images: images), of: type)
    : TileWorkspace<S>.elementCount
      + plan.forward.packedWeightCount(lanes: S.Vector.scalarCount)
}

/// The scratch of `convolveInputGradient`, in elements; never less for more images.
package func convolutionInputGradientScratchCount<S: Scalar>(
  _ plan: ConvolutionPlan, images: Int, of type: S.Type
) -> Int {
  if let tiles = plan.inputGradientTiles {
    return WinogradWorkspace<S>.elementCount(tiles, turnsWeights: true)
  }
  if let lines = plan.inputGradientLines { return LineProduct<S>.scratchCount(lines) }
  var shape = plan.pixelProduct(images: images)
  swap(&shape.columns, &shape.depth)
  return plan.isMatrixProduct
    ? matrixProductScratchCount(shape, of: type)
    : TileWorkspace<S>.elementCount
      + plan.inputGradient.packedWeightCount(lanes: S.Vector.scalarCount)
}

/// The scratch of `convolveWeightGradient`, in elements; never less for more images.
package func convolutionWeightGradientScratchCount<S: Scalar>(
  _ plan: ConvolutionPlan, images: Int, of type: S.Type
) -> Int {
  if let tiles = plan.forwardTiles {
    return WinogradWorkspace<S>.elementCount(tiles, turnsWeights: false)
  }
  if let windows = plan.weightGradientWindows {
    return OutputWindowProduct<S>.scratchCount(windows)
  }
  let pixels = plan.pixelProduct(images: images)
  return plan.isMatrixProduct
    ? matrixProductScratchCount(
      MatrixShape(rows: pixels.depth, columns: pixels.columns, depth: pixels.rows), of: type)
    : TileWorkspace<S>.elementCount
}

extension ConvolutionPlan {
  /// The product of all pixels with one matrix that a 1x1 convolution is.
  fileprivate func pixelProduct(images: Int) -> MatrixShape {
    MatrixShape(
      rows: images * geometry.vertical.input * geometry.horizontal.input,
      columns: geometry.outputChannels, depth: geometry.inputChannels)
  }
}
