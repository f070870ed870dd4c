import Collectives
import Kernels
import Storage

/// The slots of all ranks of a host: each rank writes gradients into its own, slice owners add them up.
///
/// Without shared memory a rank sees its own slots only and counts as a host by itself.
struct SumSlots<S: Scalar> {
  /// L, elements of a slot.
  let length: Int
  let sharesMemory: Bool
  private let memory: SharedMemory<S>
  private let own: Int
  /// Elements from a slot to the next.
  let stride: Int

  /// All ranks make theirs together.
  init(count: Int, length: Int, over group: any Collectives) throws(CollectivesError) {
    // Every slot starts on a cache line.
    let line = AlignedMemory<S>.alignmentBytes / MemoryLayout<S>.stride
    stride = (length + line - 1) / line * line
    self.length = length
    let shared =
      group.hostCount < group.ranks ? try group.shareMemory(S.self, count: count * stride) : nil
    sharesMemory = shared != nil
    memory = shared ?? SharedMemory(alone: count * stride)
    own = shared == nil ? 0 : group.localRank
  }

  /// How many slots this rank has.
  var count: Int { stride == 0 ? 0 : memory.parts[own].count / stride }

  /// One of this rank's slots, `[L]`.
  subscript(_ slot: Int) -> Block<S> { self[HostSum.Place(rank: own, slot: slot)] }

  /// A slot of any rank of the host, `[L]`.
  subscript(_ place: HostSum.Place) -> Block<S> {
    memory.parts[place.rank][place.slot * stride..<place.slot * stride + length]
  }
}
