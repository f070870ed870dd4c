/// The network as a list of operations in an order in which every value is written before it is read.
package struct ModelGraph: Equatable, Sendable {
  package var values: [Value] = []
  package var operations: [Operation] = []
  package var parameters: [Parameter] = []
  package var statistics: [Statistic] = []
  package var states: [CarriedState] = []
  package var layers: [LayerSummary] = []
  package var input: ValueID
  package var output: ValueID
  package var target: ValueID?
  /// Set once the backward half exists and the input's gradient was asked for.
  package var inputGradient: ValueID?
  package var inputShape: [Int]
  package var outputShape: [Int]

  /// An empty network whose output is its input.
  package init(inputShape: [Int]) {
    let input = ValueID(0)
    values = [Value(.input, elementCount: inputShape.reduce(1, *))]
    self.input = input
    self.output = input
    self.inputShape = inputShape
    self.outputShape = inputShape
  }

  package subscript(_ id: ValueID) -> Value { values[id.index] }

  package var parameterCount: Int { parameters.reduce(0) { $0 + $1.elementCount } }

  /// The operation that compares outputs with targets.
  package var loss: Operation? {
    operations.first { $0.kind.isLoss }
  }

  /// Class numbers that a sample has as its target: more than one for sequences of classes; 1 where targets are numbers.
  package var answers: Int {
    switch loss?.kind {
    case .loss(let spec, _, let positions): spec.takesClasses ? positions : 1
    case .temporalLoss(let shape): shape.labels
    default: 1
    }
  }

  /// Numbers of the output for each answer that a target is: the classes, or all that targets have.
  package var outputs: Int {
    if case .temporalLoss(let shape) = loss?.kind { return shape.classes }
    return self[output].elementCount / answers
  }

  /// Losses of a sample, and how many outputs each of them reads.
  package var lossShape: (positions: Int, outputs: Int) {
    guard case .loss(_, let outputs, let positions) = loss?.kind else { return (1, outputs) }
    return (positions, outputs)
  }

  package mutating func addValue(_ role: ValueRole, elementCount: Int) -> ValueID {
    values.append(Value(role, elementCount: elementCount))
    return ValueID(values.count - 1)
  }

  package mutating func add(
    _ kind: OperationKind, _ inputs: [ValueID], to outputs: [ValueID], layer: String
  ) {
    operations.append(Operation(kind, inputs: inputs, outputs: outputs, layer: layer))
  }

  /// Appends an operation with one new activation as its output.
  package mutating func add(
    _ kind: OperationKind, _ inputs: [ValueID], elementCount: Int, layer: String
  ) -> ValueID {
    let output = addValue(.activation, elementCount: elementCount)
    add(kind, inputs, to: [output], layer: layer)
    return output
  }
}

/// One line of `ddp-train summary`.
package struct LayerSummary: Equatable, Sendable {
  package var path: String
  package var kind: String
  package var outputShape: [Int]
  package var parameterCount: Int
  /// Multiply-adds count as two; forward only, one sample.
  package var forwardFLOPs: Int
}

/// Whether batch norm and dropout behave as in training or as in use.
package enum GraphMode: Sendable {
  case training, evaluation
}
