import Collectives
import DataParallel
import Engine
import Optimizers
import Plan
import Storage

/// Where the optimizer's slots and the averaged weights lie: each rank's own, or once for the ranks of a host.
struct StateMemory {
  /// Elements of each part.
  struct Size {
    var slots: Int
    var average: Int
    var blocks: Int
    /// Whether the rule needs norms of whole tensors.
    var hasNorms: Bool

    init(_ spec: RunSpec, _ model: ModelMemory<Float>) {
      let count = model.parameters.count
      slots = Optimizer<Float>.slotElements(spec.optimizer.rule, parameterCount: count)
      average = spec.training.emaDecay == nil ? 0 : count
      blocks = NormBlocks(model.segments).ranges.count
      hasNorms = spec.optimizer.rule.isLayerwise
    }
  }

  let slots: SharedMemory<Float>
  /// nil: no average is kept.
  let average: SharedMemory<Float>?
  /// nil: the rule needs none.
  let norms: SharedMemory<Double>?
  let board: UpdateBoard
  /// Whether the ranks of a host see the same memory.
  let isHostShared: Bool

  /// Memory that only this rank sees.
  init(alone size: Size) {
    slots = SharedMemory(alone: size.slots)
    average = size.average == 0 ? nil : SharedMemory(alone: size.average)
    norms = size.hasNorms ? SharedMemory(alone: 2 * size.blocks) : nil
    board = UpdateBoard(alone: size.blocks)
    isHostShared = false
  }

  /// Memory that the ranks of a host see together; all ranks make theirs together.
  ///
  /// - Returns: nil on all ranks when a host has no room for it.
  init?(_ size: Size, over group: any Collectives) throws(CollectivesError) {
    // The first rank of a host brings everything, so that each buffer is one block.
    let isFirst = group.localRank == 0
    guard let slots = try group.shareMemory(Float.self, count: isFirst ? size.slots : 0) else {
      return nil
    }
    self.slots = slots
    if size.average > 0 {
      guard let memory = try group.shareMemory(Float.self, count: isFirst ? size.average : 0)
      else { return nil }
      average = memory
    } else {
      average = nil
    }
    if size.hasNorms {
      guard let memory = try group.shareMemory(Double.self, count: isFirst ? 2 * size.blocks : 0)
      else { return nil }
      norms = memory
    } else {
      norms = nil
    }
    guard let board = try UpdateBoard(blocks: size.blocks, over: group) else { return nil }
    self.board = board
    isHostShared = true
  }

  /// Whether this rank fills the state when a run starts, resumes or is healed.
  var isFilledHere: Bool { board.rank == 0 }
}

extension Replica {
  /// A replica whose state is held as `optimizer.state` says; all ranks make theirs together.
  ///
  /// - Parameter summation: Made first, as its memory matters more where there is little to share.
  package convenience init(
    _ spec: RunSpec, plans: ModelPlans, summing summation: GradientSummation<Float>,
    over group: any Collectives
  ) throws {
    let model = ModelMemory<Float>(plans.training)
    let size = StateMemory.Size(spec, model)
    let shards =
      summation.sharesMemory
      && spec.optimizer.state.shards(parameterCount: plans.graph.parameterCount)
    let shared = shards ? try StateMemory(size, over: group) : nil
    self.init(spec, model: model, state: shared ?? StateMemory(alone: size))
    // The average starts before anybody reads it.
    if shared != nil { try group.barrier() }
  }

  /// Of the ranks that divide the update.
  var board: UpdateBoard { state.board }

  /// Whether the ranks of a host hold the optimizer's state once.
  package var sharesState: Bool { state.isHostShared }

  /// Bytes of the state that this rank holds: its own, or its part of what the ranks of its host share.
  package var stateByteCount: Int {
    let all = state.slots.parts[0].count + (state.average?.parts[0].count ?? 0)
    return (all + board.ranks - 1) / board.ranks * MemoryLayout<Float>.stride
  }
}

extension GradientSummation<Float> {
  /// The sums of a run; all ranks make theirs together. With local steps they are those of the rank's own shards,
  /// and the ranks share nothing.
  package convenience init(
    _ spec: RunSpec, _ plans: ModelPlans, over group: any Collectives
  ) throws(CollectivesError) {
    let isLocal = spec.training.localSteps > 1
    let own = ShardRange.shards(ofRank: group.rank, of: group.ranks, shards: spec.training.shards)
    try self.init(
      length: plans.training.leaf.count, buckets: plans.training.buckets,
      shards: isLocal ? own.count : spec.training.shards, over: isLocal ? SoloCollectives() : group,
      rounding: WireRounding(
        spec.communication.wire, exactCount: plans.training.leaf.parameterStart))
  }
}

extension Replica {
  /// Who holds the optimizer's state, for people; nil: there is one rank, and nobody asked.
  package func stateText(_ spec: RunSpec, over group: any Collectives) -> String? {
    if sharesState {
      let counts = group.ranksPerHost.map(\.ranks)
      let ranks = Set(counts).count == 1 ? "\(counts[0]) ranks" : "ranks"
      return "sharded over the \(ranks) of \(counts.count == 1 ? "the" : "each") host"
    }
    if spec.training.localSteps == 1,
      spec.optimizer.state.shards(
        parameterCount: model.parameterList.reduce(0) { $0 + $1.elementCount })
    {
      if group.hostCount < group.ranks {
        return "replicated: shared memory (/dev/shm) has no room for it"
      }
      if spec.optimizer.state == .sharded { return "replicated: each host has one rank" }
    }
    return group.ranks == 1 ? nil : "replicated: every rank holds all of it"
  }
}
