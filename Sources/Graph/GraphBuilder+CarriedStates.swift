import Diagnostics

// Recurrent layers that go on in each window of a sequence where they ended the window before (truncated back-propagation
// through time). T steps, H units.

extension GraphBuilder {
  /// What a walk starts from: h, and c of an LSTM. Nothing that is trained reaches them, so that no gradient does.
  ///
  /// - Parameter suffix: Of the walk's parameters.
  mutating func recallStates(
    of shape: RecurrentShape, _ suffix: String, _ site: LayerSite
  ) -> [ValueID] {
    ["h", "c"].prefix(shape.cell.stateCount).map { letter in
      let state = addState(
        CarriedState(name: "\(site.path).\(letter)\(suffix)", units: shape.units))
      let before = addValue(.state(state), elementCount: shape.units)
      return append(.recallState(units: shape.units), [before], [shape.units], site).value
    }
  }

  /// Puts what a walk ended with where the next window's walk finds it.
  ///
  /// - Parameter outputs: Of the walk: h, `[T, H]`, and an LSTM's memory, `[T, 5 H]`, where c comes last in a step.
  mutating func keepStates(
    of shape: RecurrentShape, from outputs: [ValueID], _ site: LayerSite
  ) {
    let first = graph.states.count - shape.cell.stateCount
    for (index, output) in outputs.prefix(shape.cell.stateCount).enumerated() {
      let total = graph[output].elementCount
      let next = addValue(.nextState(first + index), elementCount: shape.units)
      add(
        .keepState(offset: total - shape.units, count: shape.units, total: total), [output],
        to: [next], site)
    }
  }
}

extension LayerSite {
  var cannotCarryPadded: Diagnostic {
    fault(
      "carries its state from window to window, but its sequences are padded",
      expected: "windows of one long sequence, which are full to the last step",
      remedy: "remove carry, or masking")
  }
}
