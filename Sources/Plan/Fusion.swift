import Graph

/// Merges a relu into the batch norm before it, so that the activations pass through memory once.
///
/// The numbers stay the same, bit for bit: the fused kernel applies the same relu to the same sums.
/// Runs on the forward graph; the backward half is derived from the result.
func fuseActivations(in graph: ModelGraph) -> ModelGraph {
  var fused = graph
  var readers = [Int](repeating: 0, count: graph.values.count)
  for operation in graph.operations {
    for input in operation.inputs { readers[input.index] += 1 }
  }
  readers[graph.output.index] += 1
  var dropped = Set<Int>()
  for (index, operation) in graph.operations.enumerated() {
    guard case .activation(.relu) = operation.kind, readers[operation.inputs[0].index] == 1,
      let producer = graph.operations[..<index].lastIndex(where: {
        $0.outputs.first == operation.inputs[0]
      }),
      let kind = graph.operations[producer].kind.fusing(.relu)
    else { continue }
    fused.operations[producer].kind = kind
    fused.operations[producer].outputs[0] = operation.outputs[0]
    dropped.insert(index)
  }
  fused.operations = fused.operations.enumerated().filter { !dropped.contains($0.offset) }
    .map(\.element)
  return fused
}

extension OperationKind {
  /// This operation with the activation applied to its output, where a kernel for that exists.
  fileprivate func fusing(_ activation: Activation) -> OperationKind? {
    switch self {
    case .batchNorm(var shape) where shape.activation == .identity:
      shape.activation = activation
      return .batchNorm(shape)
    case .wholeBatchNorm(var shape) where shape.activation == .identity:
      shape.activation = activation
      return .wholeBatchNorm(shape)
    case .batchNormInference(var shape) where shape.activation == .identity:
      shape.activation = activation
      return .batchNormInference(shape)
    default: return nil
    }
  }
}
