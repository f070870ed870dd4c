import Graph
import Kernels
import Plan
import Storage

// Shapes: T steps of the longest sequence, E channels of attention, H units of a recurrent layer.

/// Runs a network one step at a time and keeps what earlier steps left: keys and values of attention, states of
/// recurrent layers, the inputs that convolutions see. A step costs what it computes, not a pass over the sequence.
///
/// Source: Shazeer, "Fast transformer decoding: one write-head is all you need", 2019, section 2.3 (incremental attention).
package final class SteppedEngine<S: Scalar> {
  private let engine: ShardEngine<S>
  /// The longest sequence; nil: there is none.
  package let steps: Int?
  /// By operation; only those that look back have one.
  private let carried: [Carried?]
  /// Steps computed since `restart`.
  package private(set) var position = 0

  /// What one operation keeps from step to step.
  private struct Carried {
    /// Keys and values, `[T, 2 E]`; or what a recurrent layer remembers of the step before and of this one; or the inputs
    /// of a convolution, the newest last.
    let memory: AlignedMemory<S>
    /// A recurrent layer's states and weights lie here as well.
    let scratch: AlignedMemory<S>
  }

  package init(_ stepped: SteppedGraph, model: ModelMemory<S>) {
    steps = stepped.steps
    let plan = ExecutionPlan(
      inference: stepped.graph, capacity: 1, options: PlanOptions(fusion: false))
    engine = ShardEngine(plan, model: model, usesClasses: true, seed: 0)
    engine.beginShard(rows: 1, batchSize: 1, step: 0, firstSample: 0, leaf: nil)
    carried = plan.graph.operations.map { operation in
      switch operation.kind {
      case .attention(let shape):
        let scratch = (1...shape.keys).map {
          attentionScratchCount(shape.lastQuery(of: $0), of: S.self)
        }.max()
        return Carried(
          memory: AlignedMemory(count: shape.keys * 2 * shape.channels),
          scratch: AlignedMemory(count: scratch ?? 0))
      case .recurrence(let shape):
        return Carried(
          memory: AlignedMemory(count: 2 * shape.cell.remembered * shape.units),
          scratch: AlignedMemory(count: recurrenceScratchCount(shape, sequences: 1, of: S.self)))
      case .convolution(let geometry):
        return Carried(
          memory: AlignedMemory(count: geometry.inputCount), scratch: AlignedMemory(count: 0))
      default: return nil
      }
    }
  }

  /// Exchanges the parameters, for a moving average of the weights.
  package func bind(parameters: Block<S>, of leaf: LeafLayout) {
    engine.bind(parameters: parameters, of: leaf)
    restart()
  }

  /// Begins another sequence.
  package func restart() { position = 0 }

  /// Computes the next step of the sequence.
  ///
  /// - Precondition: There have been fewer since `restart` than the longest sequence has.
  /// - Returns: The network's output at this step; valid until the next one.
  package func run(_ token: S) -> Block<S> {
    if let steps { precondition(position < steps, "step \(position) of \(steps)") }
    engine.input[0] = token
    for index in engine.operations.indices { run(operation: index) }
    position += 1
    return engine.output
  }

  private func run(operation index: Int) {
    switch engine.operations[index].kind {
    case .attention(let shape): runAttention(index, shape)
    case .recurrence(let shape): runRecurrence(index, shape)
    case .convolution(let geometry): runConvolution(index, geometry)
    case .addPositions(_, let channels):
      addPositions(
        engine.input(index, 0), table: row(of: engine.input(index, 1), width: channels),
        sequences: 1, into: engine.output(index))
    case .addSinusoidalPositions(_, let channels):
      addPositions(
        engine.input(index, 0), table: row(of: table(index), width: channels), sequences: 1,
        into: engine.output(index))
    case .rotate(let shape, let direction):
      rotate(
        engine.input(index, 0), sequences: 1, steps: 1, width: shape.width, heads: shape.heads,
        headSize: shape.headSize, table: row(of: table(index), width: shape.headSize),
        direction: S(direction), into: engine.output(index))
    default: engine.run(index)
    }
  }

  /// Puts the step's key and value behind those of earlier steps, and asks them all.
  private func runAttention(_ index: Int, _ shape: AttentionShape) {
    let (own, channels) = (engine.input(index, 0), shape.channels)
    let carried = carried(index)
    let pairs = carried.memory.block
    let start = position * 2 * channels
    pairs[start..<start + 2 * channels].copy(from: own[channels..<3 * channels])
    attention(
      shape.lastQuery(of: position + 1), sequences: 1, queries: own.prefix(channels),
      others: pairs.prefix(start + 2 * channels), into: engine.output(index),
      logarithms: engine.output(index, 1), scratch: carried.scratch.block)
  }

  private func runRecurrence(_ index: Int, _ shape: RecurrentShape) {
    let carried = carried(index)
    recurrenceStep(
      shape, isFirst: position == 0, inputs: engine.input(index, 0),
      weights: engine.input(index, 1),
      bias: engine.inputCount(index) > 2 ? engine.input(index, 2) : nil,
      output: engine.output(index), memory: carried.memory.block, scratch: carried.scratch.block)
  }

  /// Puts the step's input behind those that the last output sees; before a sequence there are zeros.
  private func runConvolution(_ index: Int, _ geometry: ConvolutionGeometry) {
    let inputs = carried(index).memory.block
    let width = geometry.inputChannels
    if position == 0 { inputs.fill(0) }
    for step in 1..<max(geometry.horizontal.input, 1) {
      inputs[(step - 1) * width..<step * width].copy(
        from: inputs[step * width..<(step + 1) * width])
    }
    inputs[inputs.count - width..<inputs.count].copy(from: engine.input(index, 0))
    engine.convolve(index, inputs)
  }

  private func row(of table: Block<S>, width: Int) -> Block<S> {
    table[position * width..<(position + 1) * width]
  }

  private func table(_ index: Int) -> Block<S> {
    guard let table = engine.tables[index] else { preconditionFailure("no table at \(index)") }
    return table.block
  }

  private func carried(_ index: Int) -> Carried {
    guard let carried = carried[index] else { preconditionFailure("nothing kept at \(index)") }
    return carried
  }
}

extension AttentionShape {
  /// The last of so many steps, which may look at all of them.
  fileprivate func lastQuery(of steps: Int) -> AttentionShape {
    AttentionShape(
      queries: 1, keys: steps, heads: heads, headSize: headSize, isCausal: false, isSelf: false)
  }
}
