import Graph

/// From which operation to which each piece of arena memory is needed.
struct StorageLifetimes {
  /// By value: the value whose memory it uses, itself unless an operation works in place.
  var owner: [Int]
  /// By owner: first to last operation, -1 for what is there before the first.
  var spans: [Int: ClosedRange<Int>] = [:]
}

/// Lifetimes of all arena values, with outputs put into the memory of inputs that end there.
func storageLifetimes(of graph: ModelGraph, held: Set<ValueID>) -> StorageLifetimes {
  let end = graph.operations.count
  var lastUse = [Int](repeating: -1, count: graph.values.count)
  for (index, operation) in graph.operations.enumerated() {
    for value in operation.inputs + operation.outputs { lastUse[value.index] = index }
  }
  for value in held { lastUse[value.index] = end }

  var result = StorageLifetimes(owner: Array(graph.values.indices))
  func extend(_ value: ValueID, from start: Int) {
    let owner = result.owner[value.index]
    let last = max(lastUse[value.index], start)
    let span = result.spans[owner] ?? start...last
    result.spans[owner] = min(span.lowerBound, start)...max(span.upperBound, last)
  }
  extend(graph.input, from: -1)
  for (index, operation) in graph.operations.enumerated() {
    for (position, output) in operation.outputs.enumerated() where graph[output].role.isInArena {
      if position == 0, let input = operation.inPlaceInput(graph),
        result.spans[result.owner[input.index]]?.upperBound == index
      {
        result.owner[output.index] = result.owner[input.index]
      }
      extend(output, from: index)
    }
  }
  return result
}

extension Operation {
  /// The input whose memory the first output may take over: read element by element, same size.
  fileprivate func inPlaceInput(_ graph: ModelGraph) -> ValueID? {
    guard let position = kind.inPlacePosition(inputCount: inputs.count) else { return nil }
    let input = inputs[position]
    guard graph[input].role.isInArena, inputs.filter({ $0 == input }).count == 1,
      graph[input].elementCount == graph[outputs[0]].elementCount,
      graph[input].role.growsWithSamples == graph[outputs[0]].role.growsWithSamples
    else { return nil }
    return input
  }
}

extension OperationKind {
  fileprivate func inPlacePosition(inputCount: Int) -> Int? {
    switch self {
    case .activation, .dropout, .softmax, .add, .multiply, .batchNormInference: 0
    case .scaleChannels, .addBias, .channelDropout: 0
    case .activationGradient, .softmaxGradient: inputCount - 1
    case .batchNormGradient, .batchNormInferenceGradient: inputCount - 4
    case .wholeBatchNormGradient: inputCount - 5
    default: nil
    }
  }
}
