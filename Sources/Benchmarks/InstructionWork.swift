import Graph
import Kernels
import Plan

/// What an instruction of a plan computes and touches for one micro-shard.
package struct InstructionWork: Equatable, Sendable {
  package var name: String
  /// Floating-point operations of products and convolutions, a multiply-add counted as two; of a
  /// convolution only taps inside the image, as the direct method needs them.
  package var operations: Double
  /// Bytes of every tensor that is read or written, each counted once per direction; of copies those that move.
  package var byteCount: Int

  package init(name: String, operations: Double = 0, byteCount: Int) {
    self.name = name
    self.operations = operations
    self.byteCount = byteCount
  }
}

extension ExecutionPlan {
  /// The work of every operation of the graph on a full micro-shard, in order.
  package var operationWork: [InstructionWork] {
    graph.operations.map { operation in
      let whole =
        Set(operation.inputs).reduce(0) { $0 + elementCount($1) }
        + operation.outputs.reduce(0) { $0 + elementCount($1) }
      let elements = operation.kind.copiedPerSample.map { 2 * $0 * capacity } ?? whole
      return InstructionWork(
        name: "\(operation.kind.name) [\(operation.layer)]",
        operations: operation.kind.operationsPerSample * Double(capacity),
        byteCount: elements * MemoryLayout<Float>.stride)
    }
  }

  /// Bringing the samples into the arena.
  package var loadWork: InstructionWork {
    InstructionWork(
      name: "load", byteCount: elementCount(graph.input) * MemoryLayout<Float>.stride)
  }

  /// Adding a micro-shard's leaf to another: two are read, one is written.
  package var foldWork: InstructionWork {
    InstructionWork(name: "fold", byteCount: 3 * leaf.count * MemoryLayout<Float>.stride)
  }

  /// The norm of the summed gradient.
  package var checkWork: InstructionWork {
    InstructionWork(
      name: "check", byteCount: leaf.parameterCount * MemoryLayout<Float>.stride)
  }

  /// The update of all parameters.
  ///
  /// - Parameter buffers: What is read and written for each parameter beside the gradient: the parameter,
  ///   the optimizer's slots, the average.
  package func updateWork(buffers: Int) -> InstructionWork {
    InstructionWork(
      name: "update",
      byteCount: (2 * buffers + 1) * leaf.parameterCount * MemoryLayout<Float>.stride)
  }

  private func elementCount(_ value: ValueID) -> Int {
    graph[value].elementCount * (graph[value].role.growsWithSamples ? capacity : 1)
  }
}

extension OperationKind {
  /// Numbers of a sample that are copied, of operations that leave the rest of what they read alone.
  fileprivate var copiedPerSample: Int? {
    switch self {
    case .recallState(let units): units
    case .keepState(_, let count, _): count
    case .step(_, _, let channels): channels
    default: nil
    }
  }

  fileprivate var operationsPerSample: Double {
    switch self {
    case .convolution(let geometry), .convolutionInputGradient(let geometry),
      .convolutionWeightGradient(let geometry):
      2 * Double(ConvolutionPlan(geometry).multiplyAddCount)
    default: Double(flops)
    }
  }
}
