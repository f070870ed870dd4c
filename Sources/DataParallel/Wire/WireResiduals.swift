import Collectives
import Kernels
import Storage

// H hosts; L elements in a gradient, the first E of which travel as they are.

/// What rounding has kept back so far: a number for every element of every subtree that a host adds up.
///
/// The ranks of a host hold theirs together, in its first rank's part of shared memory. An element of a subtree
/// is rounded in one place only, by the owner of its slice, so nobody comes into another's way.
package final class WireResiduals<S: Scalar> {
  /// The residuals of one subtree of shards.
  package struct Saved {
    package let subtree: Range<Int>
    /// `[L - E]`
    package let memory: AlignedMemory<S>

    package init(subtree: Range<Int>, memory: AlignedMemory<S>) {
      self.subtree = subtree
      self.memory = memory
    }
  }

  /// What became of saved residuals.
  package enum Restoration: Sendable {
    /// There were none.
    case nothing
    /// The hosts have the same shards: each goes on with its own.
    case same
    /// The hosts have other shards: the first host goes on with the sum of all, which loses nothing.
    case addedUp
  }

  /// `[L]` for each subtree of this host, in the order of `HostSum.subtrees`.
  let blocks: [Block<S>]

  private let memory: SharedMemory<S>
  private let group: any Collectives
  private let layout: HostLayout
  private let elements: Range<Int>
  private let slot: Int
  private let tag: Int

  /// All ranks make theirs together.
  init(
    _ layout: HostLayout, length: Int, exactCount: Int, sharesMemory: Bool, tag: Int,
    over group: any Collectives
  ) throws(CollectivesError) {
    let host = layout.host(ofRank: group.rank)
    let count = layout.subtrees(ofHost: host).count
    if sharesMemory {
      let isFirst = layout.hosts[host].lowerBound == group.rank
      guard let shared = try group.shareMemory(S.self, count: isFirst ? count * length : 0) else {
        throw CollectivesError(
          call: "shareMemory",
          reason: "no room in /dev/shm for what communication.wire keeps back; enlarge it, or use "
            + "communication.wire: float32",
          identity: group.identity)
      }
      memory = shared
    } else {
      memory = SharedMemory(alone: count * length)
    }
    let parts = memory.parts[0]
    blocks = (0..<count).map { parts[$0 * length..<($0 + 1) * length] }
    self.group = group
    self.layout = layout
    self.tag = tag
    elements = exactCount..<length
    slot = group.reserveSlots(1).lowerBound
  }

  // MARK: Saving

  /// The residuals of all hosts, on rank 0; all ranks call it between steps.
  package func gather() throws(CollectivesError) -> [Saved] {
    var all: [Saved] = []
    for (host, ranks) in layout.hosts.enumerated() {
      for (index, subtree) in layout.subtrees(ofHost: host).enumerated() {
        let isOwn = ranks.lowerBound == group.rank
        if group.isRoot {
          let memory = AlignedMemory<S>(count: elements.count)
          if isOwn {
            memory.block.copy(from: blocks[index][elements])
          } else {
            try move(memory.block, from: ranks.lowerBound, to: 0)
          }
          all.append(Saved(subtree: subtree, memory: memory))
        } else if isOwn {
          try move(blocks[index][elements], from: group.rank, to: 0)
        }
      }
    }
    return all
  }

  /// Gives every host its residuals back; all ranks call it before the first step.
  ///
  /// - Parameter saved: On rank 0 what `gather` returned in an earlier start, maybe on other hosts.
  package func restore(_ saved: [Saved]) throws(CollectivesError) -> Restoration {
    guard try group.anyRank(!saved.isEmpty) else { return .nothing }
    let hosts = layout.hosts.indices.map { layout.subtrees(ofHost: $0) }
    let isOther = Set(saved.map(\.subtree)) != Set(hosts.joined())
    if try group.anyRank(group.isRoot && isOther) {
      for part in saved { accumulate(part.memory.block, into: blocks[0][elements]) }
      try group.barrier()
      return .addedUp
    }
    for (host, ranks) in layout.hosts.enumerated() {
      for (index, subtree) in hosts[host].enumerated() {
        if group.isRoot {
          for part in saved where part.subtree == subtree {
            if ranks.contains(0) {
              blocks[index][elements].copy(from: part.memory.block)
            } else {
              try move(part.memory.block, from: 0, to: ranks.lowerBound)
            }
          }
        } else if ranks.lowerBound == group.rank {
          try move(blocks[index][elements], from: 0, to: group.rank)
        }
      }
    }
    // The other ranks of a host must not round before its first rank has these.
    try group.barrier()
    return .same
  }

  /// Sends or receives, in messages that MPI can count.
  private func move(
    _ block: Block<S>, from source: Int, to target: Int
  ) throws(CollectivesError) {
    for start in stride(from: 0, to: block.count, by: Self.messageElements) {
      let part = block[start..<min(start + Self.messageElements, block.count)]
      if group.rank == source {
        try group.startSend(part, to: target, tag: tag, slot: slot)
      } else {
        try group.startReceive(part, from: source, tag: tag, slot: slot)
      }
      try group.wait(slot)
    }
  }

  private static var messageElements: Int { 1 << 24 }
}

extension HostLayout {
  /// The subtrees that a host adds up by itself.
  package func subtrees(ofHost host: Int) -> [Range<Int>] {
    SummationTree.subtrees(inside: shards(ofHost: host), shards: shards)
  }
}
