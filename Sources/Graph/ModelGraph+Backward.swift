/// Reverse-mode differentiation: appends the backward half to a forward graph with a loss.
extension ModelGraph {
  /// The graph with the gradients of all parameters and, on request, of the input.
  ///
  /// Walks the forward operations backwards. A value read by several operations gets the sum of
  /// what each of them says about it; operations that no parameter depends on are left out.
  ///
  /// Source: Griewank and Walther, "Evaluating Derivatives", 2nd edition, section 3.2 (reverse mode).
  package func differentiated(inputGradient wantsInput: Bool = false) -> ModelGraph {
    var derivation = Derivation(graph: self, wantsInputGradient: wantsInput)
    for operation in operations.reversed() { derivation.derive(operation) }
    derivation.foldSharedGradients()
    var result = derivation.graph
    if wantsInput { result.inputGradient = derivation.gradients[input] }
    return result
  }
}

/// A graph on the way to its backward half; rules of image and sequence layers stand in files of their own.
struct Derivation {
  var graph: ModelGraph
  fileprivate var gradients: [ValueID: ValueID] = [:]
  /// Values that a parameter (or the wanted input) flows into.
  private let differentiable: Set<ValueID>
  /// What the readers of a parameter with several of them say of its gradient, by parameter.
  private var sharedGradients: [Int: [ValueID]] = [:]
  private let sharedParameters: Set<Int>

  init(graph: ModelGraph, wantsInputGradient: Bool) {
    self.graph = graph
    sharedParameters = graph.sharedParameters
    var reached = Set<ValueID>()
    if wantsInputGradient { reached.insert(graph.input) }
    for index in graph.values.indices {
      if case .parameter(let parameter) = graph.values[index].role,
        graph.parameters[parameter].isTrained
      {
        reached.insert(ValueID(index))
      }
    }
    for operation in graph.operations where operation.inputs.contains(where: reached.contains) {
      if case .stopGradient = operation.kind { continue }
      reached.formUnion(operation.outputs)
    }
    differentiable = reached
  }

  mutating func derive(_ operation: Operation) {
    switch operation.kind {
    case .loss, .temporalLoss, .lossTerm:
      contribute(operation.outputs[1], to: operation.inputs[0], operation)
      return
    case .stopGradient: return
    default: break
    }
    guard let outputGradient = gradients[operation.outputs[0]] else { return }
    switch operation.kind {
    case .dense, .convolution: deriveLinear(operation, outputGradient)
    case .batchNorm, .batchNormInference, .layerNorm: deriveNorm(operation, outputGradient)
    case .wholeBatchNorm(let shape): deriveWholeBatchNorm(shape, operation, outputGradient)
    case .embedding, .tiedDense, .addPositions, .prepend, .recurrence, .attention, .rmsNorm,
      .keepSteps, .lastStep, .averageSteps:
      deriveSequence(operation, outputGradient)
    case .add, .multiply, .concatenate: deriveStructure(operation, outputGradient)
    case .scaleChannels, .addBias, .convolutionInputGradient, .groupNorm, .prelu:
      deriveImages(operation, outputGradient)
    default: deriveUnary(operation, outputGradient)
    }
  }

  // MARK: Rules

  private mutating func deriveLinear(_ operation: Operation, _ dy: ValueID) {
    let x = operation.inputs[0]
    let weights = operation.inputs[1]
    let (inputRule, weightRule, channels) = operation.kind.linearRules
    if operation.inputs.count > 2 {
      addParameterGradients(
        .biasGradient(channels: channels), [dy], of: [operation.inputs[2]], operation)
    }
    addParameterGradients(weightRule, [x, dy], of: [weights], operation)
    addGradient(inputRule, [dy, weights], of: x, operation)
  }

  private mutating func deriveNorm(_ operation: Operation, _ dy: ValueID) {
    let x = operation.inputs[0]
    let y = operation.outputs[0]
    let gamma = operation.inputs[1]
    let dx = graph.addValue(.activation, elementCount: graph[x].elementCount)
    let parameterGradients = operation.inputs[1...2].map { newParameterGradient($0) }
    let (kind, operands): (OperationKind, [ValueID])
    switch operation.kind {
    case .batchNorm(let shape):
      kind = .batchNormGradient(shape)
      operands = shape.fusedOutput(y) + [dy, gamma] + operation.outputs[1...2]
    case .batchNormInference(let shape):
      kind = .batchNormInferenceGradient(shape)
      operands = shape.fusedOutput(y) + [dy, gamma] + operation.inputs[3...4]
    case .layerNorm(let shape):
      kind = .layerNormGradient(shape)
      operands = [dy, gamma] + operation.outputs[1...2]
    default: preconditionFailure("\(operation.kind.name) is no norm")
    }
    graph.add(kind, [x] + operands, to: [dx] + parameterGradients, layer: operation.layer)
    contribute(dx, to: x, operation)
  }

  /// Two operations, between which the first one's shares are summed over the ranks.
  private mutating func deriveWholeBatchNorm(
    _ shape: NormShape, _ operation: Operation, _ dy: ValueID
  ) {
    let (x, gamma) = (operation.inputs[0], operation.inputs[1])
    let operands = [x] + shape.fusedOutput(operation.outputs[0]) + [dy]
    let statistics = [operation.inputs[3], operation.outputs[1]]
    let shares = graph.addValue(.shardConstant, elementCount: 2 * shape.channels)
    let parameterGradients = operation.inputs[1...2].map { newParameterGradient($0) }
    graph.add(
      .wholeBatchNormShares(shape), operands + statistics, to: [shares] + parameterGradients,
      layer: operation.layer)
    addGradient(
      .wholeBatchNormGradient(shape), operands + [gamma] + statistics + [shares], of: x, operation)
  }

  private mutating func deriveStructure(_ operation: Operation, _ dy: ValueID) {
    switch operation.kind {
    case .add:
      for input in operation.inputs { contribute(dy, to: input, operation) }
    case .multiply:
      addGradient(.multiply, [dy, operation.inputs[1]], of: operation.inputs[0], operation)
      addGradient(.multiply, [dy, operation.inputs[0]], of: operation.inputs[1], operation)
    case .concatenate(let channels, let positions):
      let total = channels.reduce(0, +)
      var offset = 0
      for (input, count) in zip(operation.inputs, channels) {
        let kind = OperationKind.slice(
          offset: offset, count: count, total: total, positions: positions)
        addGradient(kind, [dy], of: input, operation)
        offset += count
      }
    default: preconditionFailure("\(operation.kind.name) is no structure")
    }
  }

  /// Operations with one differentiable input.
  private mutating func deriveUnary(_ operation: Operation, _ dy: ValueID) {
    let x = operation.inputs[0]
    let y = operation.outputs[0]
    switch operation.kind {
    case .activation(let activation):
      let operands = activation.gradientNeedsOnlyOutput ? [y, dy] : [x, y, dy]
      addGradient(.activationGradient(activation), operands, of: x, operation)
    case .softmax(let channels):
      addGradient(.softmaxGradient(channels: channels), [y, dy], of: x, operation)
    case .maxPool(let geometry):
      addGradient(.maxPoolGradient(geometry), [x, dy], of: x, operation)
    case .averagePool(let geometry):
      addGradient(.averagePoolGradient(geometry), [dy], of: x, operation)
    case .globalAveragePool(let positions, let channels):
      let kind = OperationKind.globalAveragePoolGradient(positions: positions, channels: channels)
      addGradient(kind, [dy], of: x, operation)
    case .dropout: addGradient(operation.kind, [dy], of: x, operation)
    case .slice(let offset, let count, let total, let positions):
      let kind = OperationKind.sliceGradient(
        offset: offset, count: count, total: total, positions: positions)
      addGradient(kind, [dy], of: x, operation)
    case .gaussianSample(let shape, let stream):
      addGradient(.gaussianSampleGradient(shape, stream: stream), [x, dy], of: x, operation)
    case .transpose(let rows, let columns):
      addGradient(.transpose(rows: columns, columns: rows), [dy], of: x, operation)
    case .addSinusoidalPositions: contribute(dy, to: x, operation)
    case .rotate(let shape, let direction):
      addGradient(.rotate(shape, direction: -direction), [dy], of: x, operation)
    case .step(let step, let steps, let channels):
      addGradient(.stepGradient(step, steps: steps, channels: channels), [dy], of: x, operation)
    default: deriveImages(operation, dy)
    }
  }

  // MARK: Bookkeeping

  /// Adds up what the readers of each shared parameter say of its gradient.
  mutating func foldSharedGradients() {
    for (parameter, gradients) in sharedGradients.sorted(by: { $0.key < $1.key }) {
      let sum = add(gradients, layer: graph.parameters[parameter].name)
      graph.values[sum.index].role = .parameterGradient(parameter)
    }
  }

  /// Hands over what others have said so far of the gradient of a shared parameter.
  mutating func takeSharedGradient(
    of value: ValueID, _ operation: Operation
  ) -> ValueID? {
    guard case .parameter(let index) = graph[value].role,
      let gradients = sharedGradients.removeValue(forKey: index)
    else { return nil }
    return add(gradients, layer: operation.layer)
  }

  private mutating func add(_ gradients: [ValueID], layer: String) -> ValueID {
    gradients.dropFirst().reduce(gradients[0]) { sum, gradient in
      let next = graph.addValue(.shardConstant, elementCount: graph[gradient].elementCount)
      graph.add(.add, [sum, gradient], to: [next], layer: layer)
      return next
    }
  }

  /// Appends an operation that computes one gradient of `value`, if anything depends on it.
  mutating func addGradient(
    _ kind: OperationKind, _ inputs: [ValueID], of value: ValueID, _ operation: Operation
  ) {
    guard differentiable.contains(value) else { return }
    let gradient = graph.add(
      kind, inputs, elementCount: graph[value].elementCount, layer: operation.layer)
    contribute(gradient, to: value, operation)
  }

  mutating func addParameterGradients(
    _ kind: OperationKind, _ inputs: [ValueID], of parameters: [ValueID], _ operation: Operation
  ) {
    guard parameters.contains(where: differentiable.contains) else { return }
    let gradients = parameters.map { newParameterGradient($0) }
    graph.add(kind, inputs, to: gradients, layer: operation.layer)
  }

  mutating func newParameterGradient(_ value: ValueID) -> ValueID {
    guard case .parameter(let index) = graph[value].role else {
      preconditionFailure("value \(value.index) is no parameter")
    }
    let count = graph[value].elementCount
    // A kernel may give it with others that are wanted.
    guard graph.parameters[index].isTrained else {
      return graph.addValue(.shardConstant, elementCount: count)
    }
    guard sharedParameters.contains(index) else {
      return graph.addValue(.parameterGradient(index), elementCount: count)
    }
    let gradient = graph.addValue(.shardConstant, elementCount: count)
    sharedGradients[index, default: []].append(gradient)
    return gradient
  }

  /// Adds `gradient` to what is known of `value`'s gradient.
  mutating func contribute(
    _ gradient: ValueID, to value: ValueID, _ operation: Operation
  ) {
    guard differentiable.contains(value) else { return }
    guard let earlier = gradients[value] else {
      gradients[value] = gradient
      return
    }
    gradients[value] = graph.add(
      .add, [earlier, gradient], elementCount: graph[value].elementCount, layer: operation.layer)
  }
}

extension ModelGraph {
  /// Those that several operations read.
  fileprivate var sharedParameters: Set<Int> {
    var readers: [Int: Int] = [:]
    for input in operations.flatMap(\.inputs) {
      if case .parameter(let index) = self[input].role { readers[index, default: 0] += 1 }
    }
    return Set(readers.filter { $0.value > 1 }.keys)
  }
}

extension NormShape {
  /// The layer's output where the gradient of a fused activation needs it.
  fileprivate func fusedOutput(_ output: ValueID) -> [ValueID] {
    activation == .identity ? [] : [output]
  }
}

extension OperationKind {
  /// The two backward operations of a linear layer and the length of its bias.
  fileprivate var linearRules: (input: OperationKind, weight: OperationKind, channels: Int) {
    switch self {
    case .dense(let inputs, let units, let positions):
      (
        .denseInputGradient(inputs: inputs, units: units, positions: positions),
        .denseWeightGradient(inputs: inputs, units: units, positions: positions), units
      )
    case .convolution(let geometry):
      (
        .convolutionInputGradient(geometry), .convolutionWeightGradient(geometry),
        geometry.outputChannels
      )
    default: preconditionFailure("\(name) is not linear")
    }
  }
}
