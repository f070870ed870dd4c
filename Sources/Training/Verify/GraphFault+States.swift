import Graph

/// Faults of layers that carry their states from window to window.
extension ModelGraph {
  /// Lets walks start from zeros, or only their gradients take them for such.
  mutating func forgetStates(forward: Bool) -> Bool {
    var isPlanted = false
    for index in operations.indices {
      switch operations[index].kind {
      case .recurrence(var shape) where forward && shape.isContinued:
        operations[index].inputs.removeLast(shape.startCount)
        shape.isContinued = false
        operations[index].kind = .recurrence(shape)
      case .recurrenceGradient(var shape) where shape.isContinued:
        operations[index].inputs.removeLast(shape.startCount)
        shape.isContinued = false
        operations[index].kind = .recurrenceGradient(shape)
      case .recurrenceWeightGradient(var shape) where shape.isContinued:
        operations[index].inputs.removeLast()
        shape.isContinued = false
        operations[index].kind = .recurrenceWeightGradient(shape)
      default: continue
      }
      isPlanted = true
    }
    return isPlanted
  }

  /// The last step of a walk gets the gradient of a first step on top of its own: this window's stands for the next one's.
  mutating func letGradientCrossBorder() -> Bool {
    for index in operations.indices {
      guard case .recurrenceGradient(let shape) = operations[index].kind, shape.isContinued else {
        continue
      }
      let (steps, units) = (shape.steps, shape.units)
      let gradient = operations[index].inputs[0]
      let first = addValue(.activation, elementCount: units)
      let moved = addValue(.activation, elementCount: steps * units)
      let sum = addValue(.activation, elementCount: steps * units)
      let layer = operations[index].layer
      operations[index].inputs[0] = sum
      operations.insert(
        contentsOf: [
          Operation(
            .step(0, steps: steps, channels: units), inputs: [gradient], outputs: [first],
            layer: layer),
          Operation(
            .stepGradient(steps - 1, steps: steps, channels: units), inputs: [first],
            outputs: [moved], layer: layer),
          Operation(.add, inputs: [gradient, moved], outputs: [sum], layer: layer),
        ], at: index)
      return true
    }
    return false
  }

  /// What is kept of a window is the state of its first step.
  mutating func keepFirstStates() -> Bool {
    var isPlanted = false
    for index in operations.indices {
      guard case .keepState(let offset, let count, let total) = operations[index].kind,
        let walk = operations.first(where: { $0.outputs.contains(operations[index].inputs[0]) }),
        case .recurrence(let shape) = walk.kind
      else { continue }
      operations[index].kind = .keepState(
        offset: offset - (total - total / shape.steps), count: count, total: total)
      isPlanted = true
    }
    return isPlanted
  }
}
