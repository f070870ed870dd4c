import Storage

/// `target = source convolved with weights`, `[3, 3, Cin, Cout]` of this product.
@inline(__always)
func convolveByTiles<S: Scalar>(
  _ plan: WinogradPlan, images: Int, source: Block<S>, weights: UnsafeMutablePointer<S>,
  bias: Block<S>?, into target: Block<S>, _ workspace: WinogradWorkspace<S>
) {
  func run<Tile: WinogradTile>(_ tile: Tile.Type) {
    WinogradProduct(
      WinogradPass(plan, tile, images: images, source: source.base, workspace: workspace),
      bias: bias.map { UnsafePointer($0.base) }, target: target.base
    ).run(weights: weights)
  }
  if plan.outputs == 2 { run(WinogradTile2.self) } else { run(WinogradTile4.self) }
}

/// The gradient by data: the output's gradient convolved with the kernel turned over.
@inline(__always)
func inputGradientByTiles<S: Scalar>(
  _ plan: WinogradPlan, images: Int, outputGradient: Block<S>, weights: Block<S>,
  into inputGradient: Block<S>, scratch: Block<S>
) {
  let workspace = WinogradWorkspace(scratch, plan)
  turnWeights(plan, weights, into: workspace.turned)
  convolveByTiles(
    plan, images: images, source: outputGradient, weights: workspace.turned, bias: nil,
    into: inputGradient, workspace)
}

/// `turned[y, x, co, ci] = weights[2 - y, 2 - x, ci, co]`
private func turnWeights<S: Scalar>(
  _ plan: WinogradPlan, _ weights: Block<S>, into turned: UnsafeMutablePointer<S>
) {
  // Of this product: the layer's output channels are its source.
  let (outputs, inputs) = (plan.source.channels, plan.target.channels)
  for tap in 0..<9 {
    packPanel(
      PanelSource(
        start: UnsafePointer(weights.base + (8 - tap) * inputs * outputs), depthStride: 1,
        columnStride: outputs),
      depth: outputs, columns: inputs, width: inputs, into: turned + tap * inputs * outputs)
  }
}

/// The gradient by the weights, `[3, 3, Cin, Cout]`.
@inline(__always)
func weightGradientByTiles<S: Scalar>(
  _ plan: WinogradPlan, images: Int, input: Block<S>, outputGradient: Block<S>,
  into weightGradient: Block<S>, scratch: Block<S>
) {
  let workspace = WinogradWorkspace(scratch, plan)
  func run<Tile: WinogradTile>(_ tile: Tile.Type) {
    WinogradWeightGradient(
      WinogradPass(plan, tile, images: images, source: input.base, workspace: workspace),
      outputGradient: outputGradient.base, target: weightGradient.base
    ).run()
  }
  if plan.outputs == 2 { run(WinogradTile2.self) } else { run(WinogradTile4.self) }
}
