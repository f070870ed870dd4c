import Storage

/// A copy of a checkpoint's tensors in memory of its own, which the next copy uses again.
final class CheckpointSnapshot {
  private var memory: AlignedMemory<UInt8>

  /// - Parameter payload: One of the size to come: room is made at once, so that the first copy need
  ///   not.
  init(sizedFor payload: CheckpointPayload?) {
    memory = AlignedMemory(count: payload.map(Self.byteCount) ?? 0)
  }

  /// Copies all tensors of `payload`; the result's bytes are valid until the next call.
  func copy(_ payload: CheckpointPayload) -> CheckpointPayload {
    let byteCount = Self.byteCount(of: payload)
    if memory.block.count < byteCount { memory = AlignedMemory(count: byteCount) }
    var offset = 0
    func copy(_ tensor: NamedTensor) -> NamedTensor {
      let target = memory.block[offset..<offset + tensor.byteCount]
      offset += Self.rounded(tensor.byteCount)
      return tensor.copied(to: target, owner: memory)
    }
    return CheckpointPayload(
      model: payload.model.map(copy), state: payload.state.map(copy))
  }

  private static func byteCount(of payload: CheckpointPayload) -> Int {
    (payload.model + payload.state).reduce(0) { $0 + rounded($1.byteCount) }
  }

  /// Every tensor starts on a cache line.
  private static func rounded(_ byteCount: Int) -> Int { (byteCount + 63) / 64 * 64 }
}
