import Graph
import Storage

// Shapes: N sequences of T steps, H units, G gates; sequences [N, T, ...].

/// The gradient of `recurrence` by its inputs: back through time over the whole sequence, and no further: what the walk
/// started from is a constant.
///
/// Source: Werbos, "Backpropagation through time", Proceedings of the IEEE 78, 1990; cut at the start as by Williams and
/// Peng, "An efficient gradient-based algorithm for on-line training of recurrent network trajectories", Neural
/// Computation 2, 1990.
///
/// - Parameters:
///   - outputs: What `recurrence` wrote, as is `memory`.
///   - lengths: As `recurrence` had them; the gradients of steps that do not count are 0.
///   - start: As `recurrence` had it.
///   - outputGradient: `[N, T, H]`.
///   - inputGradient: Of `x W_x + b_x`, `[N, T, G H]`.
///   - productGradient: Of `h W + b`, `[N, T, G H]`, for cells that tell it from the other; nil: the same.
///   - scratch: At least `recurrenceScratchCount` elements.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func recurrenceGradient<S: Scalar>(
  _ shape: RecurrentShape, sequences: Int, weights: Block<S>, lengths: Block<S>? = nil,
  start: RecurrentStart<S>? = nil, outputs: Block<S>, memory: Block<S>?, outputGradient: Block<S>,
  inputGradient: Block<S>, productGradient: Block<S>?, scratch: Block<S>
) {
  @inline(never) func run() {
    precondition(shape.cell.hasTwoGradients == (productGradient != nil), "\(shape.cell)")
    let walk = RecurrentBackwardPass<S>(
      pass: RecurrentPass(shape, sequences: sequences, scratch: scratch), weights: weights)
    for index in stride(from: shape.steps - 1, through: 0, by: -1) {
      let step = shape.isReversed ? shape.steps - 1 - index : index
      let earlier = walk.pass.states(before: index, outputs: outputs, start: start)
      let earlierCells = walk.pass.cells(before: index, memory: memory, start: start)
      for sequence in 0..<sequences {
        let position = sequence &* shape.steps &+ step
        let places = GatePlaces<S>(
          output: outputs.base + position &* shape.units,
          memory: memory.map { $0.base + position &* (shape.cell.remembered &* shape.units) },
          earlier: earlier?[sequence], earlierCells: earlierCells?[sequence],
          outputGradient: outputGradient.base + position &* shape.units,
          inputGradient: inputGradient.base + position &* shape.width,
          productGradient: productGradient.map { $0.base + position &* shape.width })
        walk.gates(sequence, places)
      }
      if let lengths {
        for sequence in 0..<sequences where S(step) >= lengths.base[sequence] {
          let position = sequence &* shape.steps &+ step
          walk.pass.forget(sequence)
          clear(inputGradient, at: position, width: shape.width)
          if let productGradient { clear(productGradient, at: position, width: shape.width) }
        }
      }
      if shape.cell == .gru(resetAfter: false) {
        walk.resetGates(inputGradient, memory, step: step, earlier: earlier)
      }
      if index > 0 { walk.finish() }
    }
  }
  run()
}

/// The gradient of `recurrence` by its weights: `gradient = sum over n, t of h[n, t - 1]^T productGradient[n, t]`.
///
/// - Parameters:
///   - start: As `recurrence` had it.
///   - gradient: `[H, G H]`, overwritten.
@_specialize(where S == Float)
@_specialize(where S == Double)
package func recurrenceWeightGradient<S: Scalar>(
  _ shape: RecurrentShape, sequences: Int, start: RecurrentStart<S>? = nil, outputs: Block<S>,
  memory: Block<S>?, productGradient: Block<S>, into gradient: Block<S>, scratch: Block<S>
) {
  @inline(never) func run() {
    let (units, steps) = (shape.units, shape.steps)
    let earlier = scratch[0..<sequences * steps * units]
    for position in 0..<sequences * steps {
      let step = position % steps
      let isFirst = step == (shape.isReversed ? steps - 1 : 0)
      let target = earlier[position * units..<(position + 1) * units]
      if isFirst, let start {
        let sequence = position / steps
        target.copy(from: start.states[sequence * units..<(sequence + 1) * units])
      } else if isFirst {
        target.fill(0)
      } else {
        let source = position + (shape.isReversed ? 1 : -1)
        target.copy(from: outputs[source * units..<(source + 1) * units])
      }
    }
    let alignment = RecurrentPass<S>.alignment
    let rest = scratch[(earlier.count + alignment - 1) / alignment * alignment..<scratch.count]
    func multiply(_ a: Block<S>, stride: Int, columns: Range<Int>) {
      matrixProduct(
        MatrixShape(rows: units, columns: columns.count, depth: sequences * steps), a: a,
        aRowStride: 1, aDepthStride: stride,
        b: productGradient[columns.lowerBound..<productGradient.count], bDepthStride: shape.width,
        bColumnStride: 1, into: gradient[columns.lowerBound..<gradient.count],
        cRowStride: shape.width, scratch: rest)
    }
    guard shape.cell == .gru(resetAfter: false), let memory else {
      multiply(earlier, stride: units, columns: 0..<shape.width)
      return
    }
    multiply(earlier, stride: units, columns: 0..<2 * units)
    multiply(
      memory[3 * units..<memory.count], stride: 4 * units, columns: 2 * units..<3 * units)
  }
  run()
}

/// Where the numbers of one step of one sequence lie.
private struct GatePlaces<S: Scalar> {
  let output: UnsafeMutablePointer<S>
  let memory: UnsafeMutablePointer<S>?
  /// h of the step before; nil: 0.
  let earlier: UnsafeMutablePointer<S>?
  /// c of the step before; nil: 0, or the cell has none.
  let earlierCells: UnsafeMutablePointer<S>?
  let outputGradient: UnsafeMutablePointer<S>
  let inputGradient: UnsafeMutablePointer<S>
  let productGradient: UnsafeMutablePointer<S>?
}

/// A walk from the last step to the first.
private struct RecurrentBackwardPass<S: Scalar> {
  let pass: RecurrentPass<S>

  init(pass: RecurrentPass<S>, weights: Block<S>) {
    self.pass = pass
    pass.spreadTurned(weights)
    pass.states.fill(0)
    pass.resetStates.fill(0)
  }

  /// The gradients of a step's gates, from those of its output and of the step after it.
  ///
  /// Leaves in `states` what reaches h of the step before past the products.
  @inline(__always)
  func gates(_ sequence: Int, _ places: GatePlaces<S>) {
    let state = pass.states.base + sequence &* pass.shape.units
    let products = pass.products.base + sequence &* pass.shape.width
    switch pass.shape.cell {
    case .tanh, .relu: plain(places, state, products)
    case .lstm:
      lstm(places, state, products, pass.resetStates.base + sequence &* pass.shape.units)
    case .gru(let resetAfter): gru(places, resetAfter: resetAfter, state, products)
    }
  }

  /// The reset gates of a published GRU, whose gradients come back through the new gate's products; they do nothing where
  /// h of the step before is 0.
  ///
  /// Leaves in `states` what reaches h of the step before through the new gate.
  func resetGates(
    _ inputGradient: Block<S>, _ memory: Block<S>?, step: Int, earlier: StepNumbers<S>?
  ) {
    let (units, width) = (pass.shape.units, pass.shape.width)
    guard let memory, let earlier else {
      for sequence in 0..<pass.sequences {
        let position = sequence &* pass.shape.steps &+ step
        (inputGradient.base + position &* width).fill(0, count: units)
      }
      return
    }
    multiply(2 * units..<width, into: pass.resetStates, accumulate: false)
    for sequence in 0..<pass.sequences {
      let position = sequence &* pass.shape.steps &+ step
      resetGate(
        gates: memory.base + position &* (4 &* units), earlier: earlier[sequence],
        gradient: pass.resetStates.base + sequence &* units,
        state: pass.states.base + sequence &* units,
        products: pass.products.base + sequence &* width,
        inputGradient: inputGradient.base + position &* width)
    }
  }

  /// Sends the gradients of the gates to h of the step before: `states += products * W^T`.
  func finish() {
    let isPublishedGRU = pass.shape.cell == .gru(resetAfter: false)
    multiply(
      0..<(isPublishedGRU ? 2 * pass.shape.units : pass.shape.width), into: pass.states,
      accumulate: pass.shape.cell.gates == 3)
  }

  private func multiply(_ gates: Range<Int>, into target: Block<S>, accumulate: Bool) {
    let (units, width) = (pass.shape.units, pass.shape.width)
    matrixProduct(
      MatrixShape(rows: pass.sequences, columns: units, depth: gates.count),
      a: pass.products[gates.lowerBound..<pass.products.count], aRowStride: width, aDepthStride: 1,
      b: pass.weights[gates.lowerBound * pass.turnedWeightStride..<pass.weights.count],
      bDepthStride: pass.turnedWeightStride, bColumnStride: 1, into: target, cRowStride: units,
      accumulate: accumulate, scratch: pass.rest)
  }

  private func plain(
    _ places: GatePlaces<S>, _ state: UnsafeMutablePointer<S>, _ products: UnsafeMutablePointer<S>
  ) {
    let units = pass.shape.units
    var unit = 0
    while unit < units {
      let h = places.output.vector(at: unit)
      let dh = places.outputGradient.vector(at: unit) + state.vector(at: unit)
      let gradient =
        pass.shape.cell == .relu
        ? S.rectifiedGradient(dh, output: h) : dh * ((1 - h) * (1 + h))
      products.setVector(gradient, at: unit, channel: unit, of: units)
      places.inputGradient.setVector(gradient, at: unit, channel: unit, of: units)
      unit &+= S.lanes
    }
  }

  private func lstm(
    _ places: GatePlaces<S>, _ state: UnsafeMutablePointer<S>, _ products: UnsafeMutablePointer<S>,
    _ cellGradient: UnsafeMutablePointer<S>
  ) {
    guard let memory = places.memory else { preconditionFailure("an LSTM without its memory") }
    let units = pass.shape.units
    let cells = memory + 4 &* units
    @inline(__always) func put(_ gradient: S.Vector, _ gate: Int, _ unit: Int) {
      products.setVector(gradient, at: gate &* units &+ unit, channel: unit, of: units)
      places.inputGradient.setVector(gradient, at: gate &* units &+ unit, channel: unit, of: units)
    }
    var unit = 0
    while unit < units {
      let (i, f) = (memory.vector(at: unit), memory.vector(at: units &+ unit))
      let g = memory.vector(at: 2 &* units &+ unit)
      let o = memory.vector(at: 3 &* units &+ unit)
      let c = S.hyperbolicTangent(cells.vector(at: unit))
      let dh = places.outputGradient.vector(at: unit) + state.vector(at: unit)
      let dc = S.multiplyAdd(dh * o, (1 - c) * (1 + c), cellGradient.vector(at: unit))
      let di = dc * g * (i * (1 - i))
      let df =
        if let earlier = places.earlierCells {
          dc * earlier.vector(at: unit) * (f * (1 - f))
        } else { S.Vector(repeating: 0) }
      let dg = dc * i * ((1 - g) * (1 + g))
      let dO = dh * c * (o * (1 - o))
      cellGradient.setVector(dc * f, at: unit, channel: unit, of: units)
      put(di, 0, unit)
      put(df, 1, unit)
      put(dg, 2, unit)
      put(dO, 3, unit)
      unit &+= S.lanes
    }
  }

  private func gru(
    _ places: GatePlaces<S>, resetAfter: Bool, _ state: UnsafeMutablePointer<S>,
    _ products: UnsafeMutablePointer<S>
  ) {
    guard let memory = places.memory else { preconditionFailure("a GRU without its memory") }
    let units = pass.shape.units
    let productGradient = places.productGradient ?? products
    @inline(__always) func put(_ gradient: S.Vector, _ gate: Int, _ unit: Int) {
      products.setVector(gradient, at: gate &* units &+ unit, channel: unit, of: units)
      productGradient.setVector(gradient, at: gate &* units &+ unit, channel: unit, of: units)
    }
    let zeros = S.Vector(repeating: 0)
    var unit = 0
    while unit < units {
      let (r, z) = (memory.vector(at: unit), memory.vector(at: units &+ unit))
      let n = memory.vector(at: 2 &* units &+ unit)
      let h = if let earlier = places.earlier { earlier.vector(at: unit) } else { zeros }
      let dh = places.outputGradient.vector(at: unit) + state.vector(at: unit)
      let dz = dh * (h - n) * (z * (1 - z))
      let dn = dh * (1 - z) * ((1 - n) * (1 + n))
      products.setVector(dz, at: units &+ unit, channel: unit, of: units)
      places.inputGradient.setVector(dz, at: units &+ unit, channel: unit, of: units)
      places.inputGradient.setVector(dn, at: 2 &* units &+ unit, channel: unit, of: units)
      state.setVector(dh * z, at: unit, channel: unit, of: units)
      if resetAfter {
        let dr = dn * memory.vector(at: 3 &* units &+ unit) * (r * (1 - r))
        places.inputGradient.setVector(dr, at: unit, channel: unit, of: units)
        put(dr, 0, unit)
        put(dz, 1, unit)
        put(dn * r, 2, unit)
      } else {
        products.setVector(dn, at: 2 &* units &+ unit, channel: unit, of: units)
      }
      unit &+= S.lanes
    }
  }

  /// The reset gate of a published GRU, whose gradient comes back through the new gate's product.
  private func resetGate(
    gates: UnsafeMutablePointer<S>, earlier h: UnsafeMutablePointer<S>,
    gradient: UnsafeMutablePointer<S>, state: UnsafeMutablePointer<S>,
    products: UnsafeMutablePointer<S>, inputGradient: UnsafeMutablePointer<S>
  ) {
    let units = pass.shape.units
    var unit = 0
    while unit < units {
      let r = gates.vector(at: unit)
      let g = gradient.vector(at: unit)
      let dr = g * h.vector(at: unit) * (r * (1 - r))
      products.setVector(dr, at: unit, channel: unit, of: units)
      inputGradient.setVector(dr, at: unit, channel: unit, of: units)
      state.setVector(
        S.multiplyAdd(g, r, state.vector(at: unit)), at: unit, channel: unit, of: units)
      unit &+= S.lanes
    }
  }
}
