import Graph
import Kernels
import Storage

extension ShardEngine {
  func runSequence(_ index: Int) {
    switch operations[index].kind {
    case .embedding(let words, let channels):
      embed(
        tokens: input(index, 0), table: input(index, 1), words: words, channels: channels,
        into: output(index))
    case .embeddingGradient(let words, let channels):
      embedGradient(
        tokens: input(index, 0), outputGradient: input(index, 1), words: words,
        channels: channels, base: inputCount(index) > 2 ? input(index, 2) : nil,
        into: output(index))
    case .tiedDense(let inputs, let units, let positions):
      matrixProduct(
        MatrixShape(rows: rows * positions, columns: units, depth: inputs), a: input(index, 0),
        aRowStride: inputs, aDepthStride: 1, b: input(index, 1), bDepthStride: 1,
        bColumnStride: inputs, bias: nil, into: output(index), cRowStride: units,
        accumulate: false, scratch: scratch)
    case .recurrence, .recurrenceGradient, .recurrenceWeightGradient: runRecurrence(index)
    case .recallState(let units): recallState(index, units: units)
    case .keepState(let offset, let count, let total):
      keepState(index, offset: offset, count: count, total: total)
    case .attention, .attentionGradient: runAttention(index)
    case .rmsNorm(let shape):
      rmsNorm(
        input: input(index, 0), rows: rows * shape.positions, channels: shape.channels,
        gamma: input(index, 1), epsilon: S(shape.epsilon), into: output(index),
        inverse: output(index, 1))
    case .rmsNormGradient(let shape):
      rmsNormGradient(
        input: input(index, 0), outputGradient: input(index, 1), rows: rows * shape.positions,
        channels: shape.channels, gamma: input(index, 2), inverse: input(index, 3),
        into: output(index), gammaGradient: output(index, 1))
    default: runSteps(index)
    }
  }

  private func runSteps(_ index: Int) {
    let (x, y) = (input(index, 0), output(index))
    switch operations[index].kind {
    case .addPositions(let steps, let channels):
      addPositions(x, table: input(index, 1).prefix(steps * channels), sequences: rows, into: y)
    case .addSinusoidalPositions: addPositions(x, table: table(index), sequences: rows, into: y)
    case .rotate(let shape, let direction):
      rotate(
        x, sequences: rows, steps: shape.steps, width: shape.width, heads: shape.heads,
        headSize: shape.headSize, table: table(index), direction: S(direction), into: y)
    case .prepend(let steps, let channels):
      prependStep(
        input(index, 1), to: x, sequences: rows, stepElements: channels,
        elements: steps * channels, into: y)
    case .prependGradient(let steps, let channels):
      prependStepGradient(
        x, sequences: rows, stepElements: channels, elements: steps * channels, into: y,
        stepGradient: output(index, 1))
    case .step(let step, let steps, let channels):
      copyColumns(
        from: x, rows: rows, sourceChannels: steps * channels, sourceOffset: step * channels,
        into: y, targetChannels: channels, targetOffset: 0, count: channels, accumulate: false)
    case .stepGradient(let step, let steps, let channels):
      y.fill(0)
      copyColumns(
        from: x, rows: rows, sourceChannels: channels, sourceOffset: 0, into: y,
        targetChannels: steps * channels, targetOffset: step * channels, count: channels,
        accumulate: false)
    default: preconditionFailure("\(operations[index].kind.name) is no operation of sequences")
    }
  }

  private func runRecurrence(_ index: Int) {
    switch operations[index].kind {
    case .recurrence(let shape):
      recurrence(
        shape, sequences: rows, inputs: input(index, 0), weights: input(index, 1),
        bias: inputCount(index) > 2 + shape.optionalInputCount ? input(index, 2) : nil,
        lengths: lengths(index, shape), start: start(index, shape), outputs: output(index),
        memory: shape.cell.remembered > 0 ? output(index, 1) : nil, scratch: scratch)
    case .recurrenceGradient(let shape):
      recurrenceGradient(
        shape, sequences: rows, weights: input(index, 1), lengths: lengths(index, shape),
        start: start(index, shape), outputs: input(index, 2),
        memory: shape.cell.remembered > 0 ? input(index, 3) : nil,
        outputGradient: input(index, 0), inputGradient: output(index),
        productGradient: shape.cell.hasTwoGradients ? output(index, 1) : nil, scratch: scratch)
    case .recurrenceWeightGradient(let shape):
      recurrenceWeightGradient(
        shape, sequences: rows,
        start: shape.isContinued
          ? RecurrentStart(states: input(index, inputCount(index) - 1), cells: nil) : nil,
        outputs: input(index, 0),
        memory: shape.cell.remembered > 0 ? input(index, 2) : nil,
        productGradient: input(index, 1), into: output(index), scratch: scratch)
    default: preconditionFailure("\(operations[index].kind.name) is no recurrence")
    }
  }

  /// What a recurrence starts from: its last inputs but the lengths.
  private func start(_ index: Int, _ shape: RecurrentShape) -> RecurrentStart<S>? {
    guard shape.isContinued else { return nil }
    let first = inputCount(index) - shape.optionalInputCount
    return RecurrentStart(
      states: input(index, first), cells: shape.startCount > 1 ? input(index, first + 1) : nil)
  }

  /// The last input of a recurrence over padded sequences.
  private func lengths(_ index: Int, _ shape: RecurrentShape) -> Block<S>? {
    shape.isPadded ? input(index, inputCount(index) - 1) : nil
  }

  private func lengths(_ index: Int, _ shape: AttentionShape) -> AttentionLengths<S> {
    let first = shape.isSelf ? 1 : 2
    let queries = shape.hasQueryLengths ? input(index, first) : nil
    if shape.isSelf { return AttentionLengths(queries: queries, keys: queries) }
    let second = first + (shape.hasQueryLengths ? 1 : 0)
    return AttentionLengths(
      queries: queries, keys: shape.hasKeyLengths ? input(index, second) : nil)
  }

  private func runAttention(_ index: Int) {
    switch operations[index].kind {
    case .attention(let shape):
      attention(
        shape, sequences: rows, queries: input(index, 0),
        others: shape.isSelf ? nil : input(index, 1), lengths: lengths(index, shape),
        into: output(index), logarithms: output(index, 1), scratch: scratch)
    case .attentionGradient(let shape):
      let first =
        (shape.isSelf ? 1 : 2) + (shape.hasQueryLengths ? 1 : 0) + (shape.hasKeyLengths ? 1 : 0)
      attentionGradient(
        shape, sequences: rows, queries: input(index, 0),
        others: shape.isSelf ? nil : input(index, 1), lengths: lengths(index, shape),
        output: input(index, first),
        logarithms: input(index, first + 1), outputGradient: input(index, first + 2),
        queriesGradient: output(index), othersGradient: shape.isSelf ? nil : output(index, 1),
        scratch: scratch)
    default: preconditionFailure("\(operations[index].kind.name) is no attention")
    }
  }

  private func table(_ index: Int) -> Block<S> {
    guard let table = tables[index] else { preconditionFailure("no table for operation \(index)") }
    return table.block
  }
}

extension OperationKind {
  /// Numbers that the operation reads and nobody trains.
  var table: [Double]? {
    switch self {
    case .addSinusoidalPositions(let steps, let channels):
      sinusoidalPositions(steps: steps, channels: channels)
    case .rotate(let shape, _):
      rotaryTable(steps: shape.steps, headSize: shape.headSize, base: shape.base)
    default: nil
    }
  }
}
