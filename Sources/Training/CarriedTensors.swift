import Checkpoints
import Collectives
import Diagnostics
import Engine
import Storage

// B rows of a batch, H numbers of a state.

/// What recurrent layers carry from window to window, as a checkpoint has it: for each state a tensor of all rows of the
/// batch, `[B, H]`, wherever these are computed.
package enum CarriedTensors {
  package static let prefix = "carried."

  static func contain(_ tensor: NamedTensor) -> Bool { tensor.name.hasPrefix(prefix) }

  /// Those of all ranks, on rank 0; all ranks call it.
  static func gather(
    _ states: CarriedStates<Float>, over collectives: any Collectives
  ) throws -> [NamedTensor] {
    try states.list.enumerated().flatMap { index, state -> [NamedTensor] in
      let own = states.current(index).bytes.array
      guard let parts = try collectives.gather(own, to: 0) else { return [] }
      let bytes = parts.flatMap(\.self)
      let memory = AlignedMemory<Float>(count: bytes.count / MemoryLayout<Float>.stride)
      AlignedMemory(copying: bytes).withBlock { memory.block.copyBytes(from: $0) }
      return [
        NamedTensor(
          name: prefix + state.name, shape: [memory.block.count / state.units, state.units],
          block: memory.block, owner: memory)
      ]
    }
  }

  /// Takes this rank's rows.
  ///
  /// - Parameters:
  ///   - tensors: All of a checkpoint.
  ///   - firstRow: The row of the batch that `states` begin with.
  ///   - rows: B.
  /// - Throws: A `Diagnostic` when a state is not there, or is that of another batch.
  static func restore(
    _ tensors: [NamedTensor], into states: CarriedStates<Float>, firstRow: Int, rows: Int,
    place: String
  ) throws {
    let table = TensorTable(tensors, place: place)
    for (index, state) in states.list.enumerated() {
      let values = try table.values(prefix + state.name, as: Float.self)
      guard values.block.count == rows * state.units else {
        throw Diagnostic(
          place: place,
          problem: "\(prefix)\(state.name) holds \(values.block.count) numbers",
          expected: "\(rows) rows of \(state.units)",
          remedy: "use the file that was made with this configuration")
      }
      let first = firstRow * state.units
      values.withBlock {
        states.current(index).copy(from: $0[first..<first + states.rows * state.units])
      }
    }
  }
}
