// The backward rules of layers of sequences.

extension Derivation {
  mutating func deriveSequence(_ operation: Operation, _ dy: ValueID) {
    let x = operation.inputs[0]
    switch operation.kind {
    case .embedding(let words, let channels):
      let table = operation.inputs[1]
      let others = takeSharedGradient(of: table, operation).map { [$0] } ?? []
      addParameterGradients(
        .embeddingGradient(words: words, channels: channels), [x, dy] + others, of: [table],
        operation)
    case .tiedDense(let inputs, let units, let positions):
      let table = operation.inputs[1]
      addParameterGradients(
        .denseWeightGradient(inputs: units, units: inputs, positions: positions), [dy, x],
        of: [table], operation)
      addGradient(
        .dense(inputs: units, units: inputs, positions: positions), [dy, table], of: x, operation)
    case .addPositions(let steps, let channels):
      addParameterGradients(
        .biasGradient(channels: steps * channels), [dy], of: [operation.inputs[1]], operation)
      contribute(dy, to: x, operation)
    case .prepend(let steps, let channels):
      let dx = graph.addValue(.activation, elementCount: graph[x].elementCount)
      let dtoken = newParameterGradient(operation.inputs[1])
      graph.add(
        .prependGradient(steps: steps, channels: channels), [dy], to: [dx, dtoken],
        layer: operation.layer)
      contribute(dx, to: x, operation)
    case .recurrence(let shape): deriveRecurrence(shape, operation, dy)
    case .attention(let shape): deriveAttention(shape, operation, dy)
    case .rmsNorm(let shape):
      let dx = graph.addValue(.activation, elementCount: graph[x].elementCount)
      let gamma = operation.inputs[1]
      graph.add(
        .rmsNormGradient(shape), [x, dy, gamma, operation.outputs[1]],
        to: [dx, newParameterGradient(gamma)], layer: operation.layer)
      contribute(dx, to: x, operation)
    case .keepSteps: addGradient(operation.kind, [dy, operation.inputs[1]], of: x, operation)
    case .lastStep(let steps, let channels):
      addGradient(
        .lastStepGradient(steps: steps, channels: channels), [dy, operation.inputs[1]], of: x,
        operation)
    case .averageSteps(let steps, let channels):
      addGradient(
        .averageStepsGradient(steps: steps, channels: channels), [dy, operation.inputs[1]], of: x,
        operation)
    default: preconditionFailure("\(operation.kind.name) is no layer of sequences")
    }
  }

  private mutating func deriveRecurrence(
    _ shape: RecurrentShape, _ operation: Operation, _ dy: ValueID
  ) {
    let (h, memory) = (operation.outputs[0], Array(operation.outputs.dropFirst()))
    let weights = operation.inputs[1]
    let options = operation.inputs.suffix(shape.optionalInputCount)
    let count = shape.steps * shape.width
    let gradients = (0..<(shape.cell.hasTwoGradients ? 2 : 1)).map { _ in
      graph.addValue(.activation, elementCount: count)
    }
    graph.add(
      .recurrenceGradient(shape), [dy, weights, h] + memory + options, to: gradients,
      layer: operation.layer)
    let products = gradients[gradients.count - 1]
    if operation.inputs.count - options.count > 2 {
      addParameterGradients(
        .biasGradient(channels: shape.width), [products], of: [operation.inputs[2]], operation)
    }
    addParameterGradients(
      .recurrenceWeightGradient(shape),
      [h, products] + memory + options.prefix(shape.isContinued ? 1 : 0), of: [weights], operation)
    contribute(gradients[0], to: operation.inputs[0], operation)
  }

  private mutating func deriveAttention(
    _ shape: AttentionShape, _ operation: Operation, _ dy: ValueID
  ) {
    let operands = operation.inputs.prefix(shape.isSelf ? 1 : 2)
    let gradients = operands.map {
      graph.addValue(.activation, elementCount: graph[$0].elementCount)
    }
    graph.add(
      .attentionGradient(shape), operation.inputs + operation.outputs + [dy], to: gradients,
      layer: operation.layer)
    for (input, gradient) in zip(operands, gradients) {
      contribute(gradient, to: input, operation)
    }
  }
}
