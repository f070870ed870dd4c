// The backward rules of layers of image networks.

extension Derivation {
  /// Operations of image networks.
  mutating func deriveImages(_ operation: Operation, _ dy: ValueID) {
    let x = operation.inputs[0]
    switch operation.kind {
    case .scaleChannels(let shape):
      let scale = operation.inputs[1]
      addGradient(.scaleChannelsGradient(shape), [x, dy], of: scale, operation)
      addGradient(.scaleChannels(shape), [dy, scale], of: x, operation)
    case .addBias(let channels):
      addParameterGradients(
        .biasGradient(channels: channels), [dy], of: [operation.inputs[1]], operation)
      contribute(dy, to: x, operation)
    case .convolutionInputGradient(let geometry):
      // A transposed convolution: of the convolution whose gradient it is, dy is the input.
      let weights = operation.inputs[1]
      addParameterGradients(
        .convolutionWeightGradient(geometry), [dy, x], of: [weights], operation)
      addGradient(.convolution(geometry), [dy, weights], of: x, operation)
    case .groupNorm(let shape): deriveGroupNorm(shape, operation, dy)
    case .localResponseNorm(let window):
      addGradient(
        .localResponseNormGradient(window), [x, operation.outputs[1], dy], of: x, operation)
    case .channelDropout: addGradient(operation.kind, [dy], of: x, operation)
    case .adaptiveAveragePool(let geometry):
      addGradient(.adaptiveAveragePoolGradient(geometry), [dy], of: x, operation)
    case .upsample(let geometry, let mode):
      addGradient(.upsampleGradient(geometry, mode), [dy], of: x, operation)
    case .prelu(let channels, let slopes):
      let slope = operation.inputs[1]
      let dx = graph.addValue(.activation, elementCount: graph[x].elementCount)
      graph.add(
        .preluGradient(channels: channels, slopes: slopes), [x, dy, slope],
        to: [dx, newParameterGradient(slope)], layer: operation.layer)
      contribute(dx, to: x, operation)
    default: preconditionFailure("\(operation.kind.name) has no backward rule")
    }
  }

  private mutating func deriveGroupNorm(
    _ shape: GroupNormShape, _ operation: Operation, _ dy: ValueID
  ) {
    let (x, parameters) = (operation.inputs[0], operation.inputs.dropFirst())
    let dx = graph.addValue(.activation, elementCount: graph[x].elementCount)
    let parameterGradients = parameters.map { newParameterGradient($0) }
    graph.add(
      .groupNormGradient(shape), [x, dy] + parameters.prefix(1) + operation.outputs[1...2],
      to: [dx] + parameterGradients, layer: operation.layer)
    contribute(dx, to: x, operation)
  }
}
