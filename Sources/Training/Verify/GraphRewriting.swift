import Graph

/// Changes of a finished graph: what planted faults are made of, and how a network is proven without its dropout.
extension ModelGraph {
  /// Lets everything behind an operation read `replacement` instead of `value`.
  mutating func redirect(_ value: ValueID, to replacement: ValueID, behind operation: Int) {
    for index in operations.indices where index > operation {
      operations[index].inputs = operations[index].inputs.map { $0 == value ? replacement : $0 }
    }
    if output == value { output = replacement }
  }

  /// Takes an operation out; its readers get one of its inputs.
  mutating func bypass(_ index: Int, input position: Int) {
    let operation = operations[index]
    redirect(operation.outputs[0], to: operation.inputs[position], behind: index)
    operations.remove(at: index)
  }

  /// Puts an operation behind another one; whoever read the other's output reads its output instead.
  ///
  /// - Parameter inputs: From the value that is replaced.
  mutating func insert(
    _ kind: OperationKind, behind index: Int, output position: Int = 0,
    inputs: (ValueID) -> [ValueID]
  ) {
    let operation = operations[index]
    let value = operation.outputs[position]
    let result = addValue(.activation, elementCount: self[value].elementCount)
    redirect(value, to: result, behind: index)
    operations.insert(
      Operation(kind, inputs: inputs(value), outputs: [result], layer: operation.layer),
      at: index + 1)
  }

  /// The graph, forward and backward, with nothing dropped.
  func withoutDropout() -> ModelGraph {
    var graph = self
    while let index = graph.operations.firstIndex(where: { $0.kind.isDropout }) {
      graph.bypass(index, input: 0)
    }
    return graph
  }
}

extension OperationKind {
  var isDropout: Bool {
    switch self {
    case .dropout, .channelDropout: true
    default: false
    }
  }
}
