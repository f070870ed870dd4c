import Checkpoints
import DataParallel
import Engine
import Storage

/// What rounding between hosts keeps back, as a checkpoint has it: for every subtree of shards that a host adds
/// up (`0-4`: shards 0 to 3) tensors like the parameters.
enum ResidualTensors {
  private static let prefix = "wire_residual."

  static func contain(_ tensor: NamedTensor) -> Bool { tensor.name.hasPrefix(prefix) }

  /// Those of all hosts, on rank 0; all ranks call it.
  static func gather(
    _ residuals: WireResiduals<Float>, of model: ModelMemory<Float>
  ) throws -> [NamedTensor] {
    try residuals.gather().flatMap { part in
      model.parameterTensors(
        part.memory.block, prefix: Self.prefix(of: part.subtree), owner: part.memory)
    }
  }

  /// Hands saved residuals out; all ranks call it.
  ///
  /// - Parameters:
  ///   - tensors: On rank 0 those of the checkpoint.
  ///   - residuals: nil: nothing is rounded.
  /// - Returns: What the user should know.
  static func restore(
    _ tensors: [NamedTensor], into residuals: WireResiduals<Float>?, of model: ModelMemory<Float>
  ) throws -> String? {
    guard let residuals else {
      return tensors.isEmpty
        ? nil : "one host: what rounding between hosts had kept back is dropped"
    }
    let table = TensorTable(tensors, place: "checkpoint")
    let saved = try Set(tensors.compactMap(subtree)).sorted { $0.lowerBound < $1.lowerBound }.map {
      subtree in
      let memory = AlignedMemory<Float>(count: model.leaf.parameterCount)
      try model.loadParameters(table, prefix: prefix(of: subtree), into: memory.block)
      return WireResiduals<Float>.Saved(subtree: subtree, memory: memory)
    }
    switch try residuals.restore(saved) {
    case .nothing, .same: return nil
    case .addedUp:
      return
        "other hosts than before: what rounding between them had kept back goes to the first one"
    }
  }

  private static func prefix(of subtree: Range<Int>) -> String {
    "\(prefix)\(subtree.lowerBound)-\(subtree.upperBound)."
  }

  private static func subtree(of tensor: NamedTensor) -> Range<Int>? {
    let words = tensor.name.dropFirst(prefix.count).prefix { $0 != "." }.split(separator: "-")
    guard words.count == 2, let start = Int(words[0]), let end = Int(words[1]), start < end else {
      return nil
    }
    return start..<end
  }
}
