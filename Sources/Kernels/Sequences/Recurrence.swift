import Graph
import Storage

// Shapes: N sequences of T steps, H units, G gates; sequences [N, T, ...]. A sequence's bits do not depend
// on the others.

/// Walks sequences step by step: `h[n, t] = cell(inputs[n, t], W, h[n, t - 1])`, before the first step h = 0 or `start`.
///
/// The products of all steps with x are made beforehand in one matrix product; here each step multiplies h alone.
///
/// Source: Hochreiter and Schmidhuber, Neural Computation 9, 1997, with the forget gate of Gers et al., 2000 (LSTM); Cho
/// et al., EMNLP 2014, equations 5 to 8 (GRU).
///
/// - Parameters:
///   - inputs: `x W_x + b_x`, `[N, T, G H]`, gates side by side in the order of `RecurrentCell`.
///   - weights: `[H, G H]`.
///   - bias: `[G H]`; nil: zeros.
///   - lengths: Steps of each sequence that count, `[N]`; h and memory of the others are 0, and a reversed walk starts at
///     the last that counts. nil: all.
///   - start: What the step before the first one left; nil: zeros.
///   - outputs: h, `[N, T, H]`.
///   - memory: What `recurrenceGradient` needs, `[N, T, remembered H]`; nil for cells that remember nothing.
///   - scratch: At least `recurrenceScratchCount` elements.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func recurrence<S: Scalar>(
  _ shape: RecurrentShape, sequences: Int, inputs: Block<S>, weights: Block<S>, bias: Block<S>?,
  lengths: Block<S>? = nil, start: RecurrentStart<S>? = nil, outputs: Block<S>,
  memory: Block<S>?, scratch: Block<S>
) {
  @inline(never) func run() {
    let pass = RecurrentPass<S>(shape, sequences: sequences, scratch: scratch)
    pass.spread(weights)
    let states = pass.states
    if let start { states.copy(from: start.states) } else { states.fill(0) }
    for index in 0..<shape.steps {
      let step = shape.isReversed ? shape.steps - 1 - index : index
      let earlierCells = pass.cells(before: index, memory: memory, start: start)
      pass.multiply(states, bias: bias, columns: 0..<pass.productWidth)
      if shape.cell == .gru(resetAfter: false) {
        pass.reset(inputs: inputs, memory: memory, step: step)
        pass.multiply(
          pass.resetStates, bias: bias, columns: pass.productWidth..<shape.width)
      }
      for sequence in 0..<sequences {
        let position = sequence &* shape.steps &+ step
        pass.cell(
          sequence, inputs: inputs.base + position &* shape.width,
          memory: memory.map { $0.base + position &* (shape.cell.remembered &* shape.units) },
          earlierCells: earlierCells?[sequence], output: outputs.base + position &* shape.units)
      }
      guard let lengths else { continue }
      for sequence in 0..<sequences where S(step) >= lengths.base[sequence] {
        let position = sequence &* shape.steps &+ step
        pass.forget(sequence)
        clear(outputs, at: position, width: shape.units)
        if let memory { clear(memory, at: position, width: shape.cell.remembered &* shape.units) }
      }
    }
  }
  run()
}

/// One step more of one sequence's walk: the same bits as `recurrence` over all steps so far.
///
/// - Parameters:
///   - shape: Of one step.
///   - isFirst: Whether a walk begins; else `memory` and `scratch` are as the step before left them.
///   - inputs: `x W_x + b_x`, `[G H]`.
///   - weights: `[H, G H]`; read at a first step only.
///   - bias: `[G H]`; nil: zeros.
///   - output: h, `[H]`.
///   - memory: Of the step before and of this one, `[2, remembered H]`.
///   - scratch: At least `recurrenceScratchCount` elements; holds the state and the weights between steps.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func recurrenceStep<S: Scalar>(
  _ shape: RecurrentShape, isFirst: Bool, inputs: Block<S>, weights: Block<S>, bias: Block<S>?,
  output: Block<S>, memory: Block<S>, scratch: Block<S>
) {
  precondition(shape.steps == 1 && !shape.isReversed, "\(shape)")
  let remembered = shape.cell.remembered * shape.units
  precondition(memory.count >= 2 * remembered, "memory of \(memory.count) for \(shape)")
  let pass = RecurrentPass<S>(shape, sequences: 1, scratch: scratch)
  if isFirst {
    pass.spread(weights)
    pass.states.fill(0)
  }
  let now = remembered > 0 ? memory[remembered..<2 * remembered] : nil
  pass.multiply(pass.states, bias: bias, columns: 0..<pass.productWidth)
  if shape.cell == .gru(resetAfter: false) {
    pass.reset(inputs: inputs, memory: now, step: 0)
    pass.multiply(pass.resetStates, bias: bias, columns: pass.productWidth..<shape.width)
  }
  let earlier = isFirst ? nil : memory.prefix(remembered)
  pass.cell(
    0, inputs: inputs.base, memory: now?.base,
    earlierCells: shape.cell == .lstm ? earlier.map { $0.base + 4 * shape.units } : nil,
    output: output.base)
  if let now { memory.prefix(remembered).copy(from: now) }
}

/// Puts zeros in one row of `[rows, width]`.
@inline(__always)
func clear<S: Scalar>(_ block: Block<S>, at row: Int, width: Int) {
  (block.base + row &* width).fill(0, count: width)
}

/// Elements of scratch that `recurrence` and its gradients need.
package func recurrenceScratchCount<S: Scalar>(
  _ shape: RecurrentShape, sequences: Int, of type: S.Type
) -> Int {
  let products = [
    MatrixShape(rows: sequences, columns: shape.width, depth: shape.units),
    MatrixShape(rows: sequences, columns: shape.units, depth: shape.width),
    MatrixShape(rows: shape.units, columns: shape.width, depth: sequences * shape.steps),
  ].map { matrixProductScratchCount($0, of: type) }
  let states = sequences * (3 * shape.units + shape.width)
  let shifted = sequences * shape.steps * shape.units
  let alignment = RecurrentPass<S>.alignment
  let weights =
    (shape.units + alignment) * (shape.width + alignment)
  return (products.max() ?? 0) + max(states + weights, shifted) + 6 * alignment
}

/// What the step before a walk's first one left: the walk goes on where another one ended.
package struct RecurrentStart<S: Scalar> {
  /// h, `[N, H]`.
  let states: Block<S>
  /// c of an LSTM, `[N, H]`; nil for other cells.
  let cells: Block<S>?

  package init(states: Block<S>, cells: Block<S>?) {
    self.states = states
    self.cells = cells
  }
}

/// H numbers of one step of each sequence.
struct StepNumbers<S: Scalar> {
  let base: UnsafeMutablePointer<S>
  /// From one sequence to the next.
  let stride: Int

  @inline(__always)
  subscript(sequence: Int) -> UnsafeMutablePointer<S> { base + sequence &* stride }
}

/// The memory of a walk, cut into parts.
struct RecurrentPass<S: Scalar> {
  static var alignment: Int { 16 }

  let shape: RecurrentShape
  let sequences: Int
  /// h of the step before (backward: its gradient), `[N, H]`.
  let states: Block<S>
  /// r h (backward: its gradient), or the gradient of c; `[N, H]`.
  let resetStates: Block<S>
  /// Products of a step, or the gradients of its gates; `[N, G H]`.
  let products: Block<S>
  /// `[H, G H]` with rows apart that lie a multiple of a page from each other otherwise; backward turned over, `[G H, H]`.
  let weights: Block<S>
  let rest: Block<S>

  init(_ shape: RecurrentShape, sequences: Int, scratch: Block<S>) {
    precondition(
      scratch.count >= recurrenceScratchCount(shape, sequences: sequences, of: S.self),
      "scratch of \(scratch.count) elements for \(shape)")
    self.shape = shape
    self.sequences = sequences
    var start = 0
    func take(_ count: Int) -> Block<S> {
      defer { start += (count + Self.alignment - 1) / Self.alignment * Self.alignment }
      return scratch[start..<start + count]
    }
    states = take(sequences * shape.units)
    resetStates = take(sequences * shape.units)
    products = take(sequences * shape.width)
    weights = take((shape.units + Self.alignment) * (shape.width + Self.alignment))
    rest = scratch[start..<scratch.count]
  }

  /// Columns of the product with h that is made first: a published GRU's new gate waits for the reset gate.
  var productWidth: Int {
    shape.cell == .gru(resetAfter: false) ? 2 * shape.units : shape.width
  }

  var weightStride: Int { shape.width + Self.alignment }
  var turnedWeightStride: Int { shape.units + Self.alignment }

  /// h of the step before the `index`-th of the walk; nil: it is 0.
  func states(
    before index: Int, outputs: Block<S>, start: RecurrentStart<S>?
  ) -> StepNumbers<S>? {
    guard index > 0 else {
      return start.map { StepNumbers(base: $0.states.base, stride: shape.units) }
    }
    let step = shape.isReversed ? shape.steps - index : index - 1
    return StepNumbers(base: outputs.base + step * shape.units, stride: shape.steps * shape.units)
  }

  /// c of the step before the `index`-th of the walk; nil: it is 0, or the cell has none.
  func cells(
    before index: Int, memory: Block<S>?, start: RecurrentStart<S>?
  ) -> StepNumbers<S>? {
    guard shape.cell == .lstm, let memory else { return nil }
    guard index > 0 else {
      return start?.cells.map { StepNumbers(base: $0.base, stride: shape.units) }
    }
    let step = shape.isReversed ? shape.steps - index : index - 1
    return StepNumbers(
      base: memory.base + (5 * step + 4) * shape.units, stride: 5 * shape.steps * shape.units)
  }

  /// Puts zeros in what a sequence carries to its next step.
  func forget(_ sequence: Int) {
    clear(states, at: sequence, width: shape.units)
    clear(resetStates, at: sequence, width: shape.units)
    clear(products, at: sequence, width: shape.width)
  }

  /// Takes the weights of the products, `[H, G H]`.
  func spread(_ given: Block<S>) {
    for unit in 0..<shape.units {
      let start = unit * weightStride
      weights[start..<start + shape.width].copy(
        from: given[unit * shape.width..<(unit + 1) * shape.width])
    }
  }

  /// Takes the weights turned over.
  func spreadTurned(_ given: Block<S>) {
    turnOver(
      given.base, rowStride: shape.width, rows: shape.units, columns: shape.width,
      into: weights.base, targetStride: turnedWeightStride)
  }

  /// `products[:, columns] = a * weights[:, columns] + bias[columns]`.
  func multiply(_ a: Block<S>, bias: Block<S>?, columns: Range<Int>) {
    matrixProduct(
      MatrixShape(rows: sequences, columns: columns.count, depth: shape.units), a: a,
      aRowStride: shape.units, aDepthStride: 1, b: weights[columns.lowerBound..<weights.count],
      bDepthStride: weightStride, bColumnStride: 1, bias: bias.map { $0[columns] },
      into: products[columns.lowerBound..<products.count], cRowStride: shape.width, scratch: rest)
  }

  /// `resetStates = r * states`, and r h into the memory.
  func reset(inputs: Block<S>, memory: Block<S>?, step: Int) {
    let units = shape.units
    for sequence in 0..<sequences {
      let position = sequence &* shape.steps &+ step
      let x = inputs.base + position &* shape.width
      let product = products.base + sequence &* shape.width
      let state = states.base + sequence &* units
      @inline(__always) func kept(_ unit: Int) -> S.Vector {
        S.sigmoid(x.vector(at: unit) + product.vector(at: unit)) * state.vector(at: unit)
      }
      fillByVectors(resetStates.base + sequence &* units, count: units, kept)
      guard let memory else { continue }
      let target = memory.base + position &* (4 &* units) + 3 &* units
      target.update(from: resetStates.base + sequence &* units, count: units)
    }
  }

  /// One step of one sequence.
  ///
  /// - Parameter earlierCells: c of the step before; nil: 0, or the cell has none.
  @inline(__always)
  func cell(
    _ sequence: Int, inputs: UnsafeMutablePointer<S>, memory: UnsafeMutablePointer<S>?,
    earlierCells: UnsafeMutablePointer<S>?, output: UnsafeMutablePointer<S>
  ) {
    let product = products.base + sequence &* shape.width
    let state = states.base + sequence &* shape.units
    switch shape.cell {
    case .tanh:
      fillBoth(output, state) { unit in
        S.hyperbolicTangent(inputs.vector(at: unit) + product.vector(at: unit))
      }
    case .relu:
      fillBoth(output, state) { unit in
        S.rectified(inputs.vector(at: unit) + product.vector(at: unit))
      }
    case .lstm: lstm(inputs, product, memory, earlier: earlierCells, state, output)
    case .gru(let resetAfter): gru(inputs, product, memory, resetAfter: resetAfter, state, output)
    }
  }

  @inline(__always)
  private func fillBoth(
    _ first: UnsafeMutablePointer<S>, _ second: UnsafeMutablePointer<S>, _ body: (Int) -> S.Vector
  ) {
    var unit = 0
    while unit < shape.units {
      let value = body(unit)
      first.setVector(value, at: unit, channel: unit, of: shape.units)
      second.setVector(value, at: unit, channel: unit, of: shape.units)
      unit &+= S.lanes
    }
  }

  private func lstm(
    _ inputs: UnsafeMutablePointer<S>, _ product: UnsafeMutablePointer<S>,
    _ memory: UnsafeMutablePointer<S>?, earlier: UnsafeMutablePointer<S>?,
    _ state: UnsafeMutablePointer<S>, _ output: UnsafeMutablePointer<S>
  ) {
    guard let memory else { preconditionFailure("an LSTM without memory for its cells") }
    let units = shape.units
    let cells = memory + 4 &* units
    @inline(__always) func sum(_ gate: Int, _ unit: Int) -> S.Vector {
      inputs.vector(at: gate &* units &+ unit) + product.vector(at: gate &* units &+ unit)
    }
    var unit = 0
    while unit < units {
      let (i, f) = (S.sigmoid(sum(0, unit)), S.sigmoid(sum(1, unit)))
      let (g, o) = (S.hyperbolicTangent(sum(2, unit)), S.sigmoid(sum(3, unit)))
      let new = i * g
      let c = if let earlier { S.multiplyAdd(f, earlier.vector(at: unit), new) } else { new }
      let h = o * S.hyperbolicTangent(c)
      memory.setVector(i, at: unit, channel: unit, of: units)
      memory.setVector(f, at: units &+ unit, channel: unit, of: units)
      memory.setVector(g, at: 2 &* units &+ unit, channel: unit, of: units)
      memory.setVector(o, at: 3 &* units &+ unit, channel: unit, of: units)
      cells.setVector(c, at: unit, channel: unit, of: units)
      state.setVector(h, at: unit, channel: unit, of: units)
      output.setVector(h, at: unit, channel: unit, of: units)
      unit &+= S.lanes
    }
  }

  private func gru(
    _ inputs: UnsafeMutablePointer<S>, _ product: UnsafeMutablePointer<S>,
    _ memory: UnsafeMutablePointer<S>?, resetAfter: Bool, _ state: UnsafeMutablePointer<S>,
    _ output: UnsafeMutablePointer<S>
  ) {
    let units = shape.units
    @inline(__always) func sum(_ gate: Int, _ unit: Int) -> S.Vector {
      inputs.vector(at: gate &* units &+ unit) + product.vector(at: gate &* units &+ unit)
    }
    var unit = 0
    while unit < units {
      let (r, z) = (S.sigmoid(sum(0, unit)), S.sigmoid(sum(1, unit)))
      let q = product.vector(at: 2 &* units &+ unit)
      let x = inputs.vector(at: 2 &* units &+ unit)
      let n = S.hyperbolicTangent(resetAfter ? S.multiplyAdd(r, q, x) : x + q)
      let h = S.multiplyAdd(z, state.vector(at: unit) - n, n)
      if let memory {
        memory.setVector(r, at: unit, channel: unit, of: units)
        memory.setVector(z, at: units &+ unit, channel: unit, of: units)
        memory.setVector(n, at: 2 &* units &+ unit, channel: unit, of: units)
        if resetAfter { memory.setVector(q, at: 3 &* units &+ unit, channel: unit, of: units) }
      }
      state.setVector(h, at: unit, channel: unit, of: units)
      output.setVector(h, at: unit, channel: unit, of: units)
      unit &+= S.lanes
    }
  }
}
