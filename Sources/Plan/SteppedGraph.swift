import Graph

/// A network of sequences rewritten to compute one step at a time, for steps that follow each other.
///
/// Every value holds one step of what it held before. Operations that look at earlier steps (attention, recurrent layers,
/// convolutions, of which one output is left with the inputs that it sees) and those that depend on where in the sequence
/// a step is keep their shape: whoever runs them keeps what earlier steps left.
package struct SteppedGraph: Equatable, Sendable {
  package let graph: ModelGraph
  /// The longest sequence; nil: there is none, since all that looks back carries its state on and on.
  package let steps: Int?

  /// The first operation that needs more than the step in hand and what earlier steps left.
  package struct Obstacle: Error, Equatable {
    package var layer: String
    package var operation: String

    package init(layer: String, operation: String) {
      self.layer = layer
      self.operation = operation
    }
  }

  /// - Parameter forward: `[T]` tokens to `[T, outputs]`, in evaluation mode; a loss behind the output is left out.
  package init(_ forward: ModelGraph) throws(Obstacle) {
    let steps = forward.inputShape.reduce(1, *)
    var stepped = forward
    let last = forward.operations.lastIndex { $0.outputs.contains(forward.output) }
    stepped.operations = forward.operations.prefix((last ?? -1) + 1)
      .compactMap(\.withoutGivenStates)
    for index in stepped.operations.indices {
      let operation = stepped.operations[index]
      guard let kind = operation.kind.stepped(of: steps), forward.isDivided(operation, by: steps)
      else {
        throw Obstacle(layer: operation.layer, operation: operation.kind.name)
      }
      stepped.operations[index].kind = kind
    }
    for index in stepped.values.indices where stepped.values[index].role.growsWithSamples {
      stepped.values[index].elementCount /= steps
    }
    stepped.target = nil
    stepped.states = []
    stepped.inputShape = [1]
    stepped.outputShape = Array(forward.outputShape.dropFirst())
    graph = stepped
    self.steps = forward.goesOnForever ? nil : steps
  }
}

extension ModelGraph {
  /// Whether nothing ends with a window: recurrent layers carry their states, and nothing else looks at where a step is.
  fileprivate var goesOnForever: Bool {
    !states.isEmpty
      && operations.allSatisfy { operation in
        switch operation.kind {
        case .recurrence(let shape): shape.isContinued
        case .attention, .addPositions, .addSinusoidalPositions, .rotate: false
        // At a window's start it sees zeros in place of the window before.
        case .convolution(let geometry): geometry.horizontal.kernel == 1
        default: true
        }
      }
  }

  /// Whether what the operation reads and writes for a sample consists of so many equal steps.
  fileprivate func isDivided(_ operation: Operation, by steps: Int) -> Bool {
    (operation.inputs + operation.outputs).map { self[$0] }
      .filter(\.role.growsWithSamples).allSatisfy { $0.elementCount % steps == 0 }
  }
}

extension Operation {
  /// The same where states come from the step before, not from the window before; nil: it moves nothing but those.
  fileprivate var withoutGivenStates: Operation? {
    var operation = self
    switch kind {
    case .recallState, .keepState: return nil
    case .recurrence(var shape):
      operation.inputs.removeLast(shape.startCount)
      shape.isContinued = false
      operation.kind = .recurrence(shape)
    default: break
    }
    return operation
  }
}

extension OperationKind {
  /// The same on one of so many steps; nil where that is another computation.
  fileprivate func stepped(of steps: Int) -> OperationKind? {
    switch self {
    case .dense(let inputs, let units, steps): .dense(inputs: inputs, units: units, positions: 1)
    case .tiedDense(let inputs, let units, steps):
      .tiedDense(inputs: inputs, units: units, positions: 1)
    case .concatenate(let channels, steps): .concatenate(channels: channels, positions: 1)
    case .slice(let offset, let count, let total, steps):
      .slice(offset: offset, count: count, total: total, positions: 1)
    case .layerNorm(let shape): shape.step(of: steps).map { .layerNorm($0) }
    case .rmsNorm(let shape): shape.step(of: steps).map { .rmsNorm($0) }
    case .batchNormInference(let shape): shape.step(of: steps).map { .batchNormInference($0) }
    case .recurrence(let shape) where shape.steps == steps && !shape.isReversed && !shape.isPadded:
      .recurrence(RecurrentShape(cell: shape.cell, steps: 1, units: shape.units))
    case .attention(let shape)
    where shape.isCausal && shape.isSelf && shape.keys == steps && !shape.hasQueryLengths: self
    case .addPositions(steps, _), .addSinusoidalPositions(steps, _): self
    case .rotate(let shape, _) where shape.steps == steps: self
    case .convolution(let geometry): geometry.lastStep(of: steps).map { .convolution($0) }
    case .embedding, .activation, .add, .multiply, .softmax, .addBias, .prelu: self
    default: nil
    }
  }
}

extension ConvolutionGeometry {
  /// The last of so many outputs along a sequence, with as many inputs as it sees; nil where outputs see later inputs.
  fileprivate func lastStep(of steps: Int) -> ConvolutionGeometry? {
    let axis = horizontal
    let reach = axis.dilation * (axis.kernel - 1)
    guard vertical.input == 1, vertical.kernel == 1, axis.input == steps, axis.output == steps,
      axis.stride == 1, axis.padBefore == reach
    else { return nil }
    var geometry = self
    geometry.horizontal = WindowAxis(
      input: reach + 1, kernel: axis.kernel, dilation: axis.dilation)
    return geometry
  }
}

extension NormShape {
  fileprivate func step(of steps: Int) -> NormShape? {
    guard positions == steps else { return nil }
    var shape = self
    shape.positions = 1
    return shape
  }
}
