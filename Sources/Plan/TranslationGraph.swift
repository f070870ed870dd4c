import Graph

/// A network of two inputs, a source and a target, divided for writing the target one token after the other: what depends on
/// the source alone is computed once, the rest for each token.
package struct TranslationGraph: Equatable, Sendable {
  /// In evaluation mode, without a loss. What does not see the target comes first: memory is shared by values of operations
  /// in this order.
  package let graph: ModelGraph
  /// Operations that do not see the target.
  package let encoder: Range<Int>
  /// Those that do.
  package let decoder: Range<Int>
  /// Where the target stands in a sample.
  package let target: Range<Int>
  /// What the decoder reads of the encoder, and the input, which keep their memory from token to token.
  package let held: Set<ValueID>

  /// Why a network cannot write a target.
  package enum Obstacle: Error, Equatable {
    /// It has no two inputs, each a row of tokens, with logits at every step of the second.
    case shape
    /// A layer of the decoder that sees later tokens than the one in hand.
    case lookahead(layer: String)
  }

  /// - Parameters:
  ///   - forward: In evaluation mode; a loss behind the output is left out.
  ///   - inputs: Of the model.
  package init(_ forward: ModelGraph, inputs: [NamedInput]) throws(Obstacle) {
    guard inputs.count == 2, inputs.allSatisfy({ $0.shape.count == 1 }),
      forward.outputShape.count == 2, forward.outputShape[0] == inputs[1].elementCount
    else { throw .shape }
    target = inputs[0].elementCount..<inputs[0].elementCount + inputs[1].elementCount
    var graph = forward
    let last = graph.operations.lastIndex { $0.outputs.contains(forward.output) }
    graph.target = nil
    var seen = Set<ValueID>()
    var (blind, seeing): ([Operation], [Operation]) = ([], [])
    for operation in graph.operations.prefix((last ?? -1) + 1) {
      let reads =
        operation.readsInput(of: graph, in: target)
        || operation.inputs.contains(where: seen.contains)
      guard reads else {
        blind.append(operation)
        continue
      }
      if operation.looksAhead(seen) { throw .lookahead(layer: operation.layer) }
      seen.formUnion(operation.outputs)
      seeing.append(operation)
    }
    graph.operations = blind + seeing
    encoder = 0..<blind.count
    decoder = blind.count..<graph.operations.count
    let read = Set(seeing.flatMap(\.inputs)).subtracting(seen)
    held = read.filter { graph[$0].role.isInArena }.union([graph.input])
    self.graph = graph
  }
}

extension Operation {
  /// Whether it reads of the model's input what stands in a range of elements.
  fileprivate func readsInput(of graph: ModelGraph, in range: Range<Int>) -> Bool {
    guard inputs.contains(graph.input) else { return false }
    if case .slice(let offset, let count, _, 1) = kind {
      return range.overlaps(offset..<offset + count)
    }
    return true
  }

  /// Whether a step of its output depends on later steps of what it reads of `seen`.
  fileprivate func looksAhead(_ seen: Set<ValueID>) -> Bool {
    if case .attention(let shape) = kind, !shape.isSelf { return seen.contains(inputs[1]) }
    return kind.looksAhead
  }
}

extension OperationKind {
  /// Whether a step of what it gives depends on later steps of what it reads.
  package var looksAhead: Bool {
    switch self {
    case .recurrence(let shape): shape.isReversed
    case .attention(let shape): !shape.isCausal
    case .convolution(let geometry):
      geometry.horizontal.looksAhead || geometry.vertical.input > 1
    case .globalAveragePool, .maxPool, .averagePool, .adaptiveAveragePool, .groupNorm, .transpose,
      .sequenceLengths:
      true
    default: false
    }
  }
}

extension WindowAxis {
  /// Whether a step's output depends on later steps.
  fileprivate var looksAhead: Bool { stride > 1 || dilation * (kernel - 1) > padBefore }
}
