import Collectives
import DataParallel
import Engine
import Graph
import Kernels
import Plan
import Storage

// L elements of a leaf; V shards.

/// The sum of one batch's shards as one rank forms it, and as several ranks do.
final class ShardSums {
  private let material: VerifyMaterial
  private let model: ModelMemory<Float>
  private let engine: ShardEngine<Float>
  private let arena: AlignedMemory<Float>
  private let plan: ExecutionPlan
  private let shards: Int

  init(_ material: VerifyMaterial, model: ModelMemory<Float>) {
    self.material = material
    self.model = model
    plan = material.plans.training
    shards = material.spec.training.shards
    arena = AlignedMemory(count: plan.arena.count)
    engine = material.engine(plan, model, arena: arena)
  }

  /// As one rank that computes all shards.
  func sumOfOneRank() -> AlignedMemory<Float> {
    engine.forget(arena)
    return sum(of: 0..<shards, rank: 0..<shards)
  }

  /// As so many ranks would, one after the other: each computes the subtrees inside of its own shards in memory of its own.
  func sum(ofRanks ranks: Int) -> AlignedMemory<Float> {
    var stack: [(node: Range<Int>, sum: AlignedMemory<Float>)] = []
    let isInOrder = if case .sum(.inOrderOfArrival) = material.fault { true } else { false }
    for rank in isInOrder ? (0..<ranks).reversed() : Array(0..<ranks) {
      let own = ShardRange.shards(ofRank: rank, of: ranks, shards: shards)
      engine.forget(arena)
      for subtree in SummationTree.subtrees(inside: own, shards: shards) {
        stack.append((subtree, sum(of: subtree, rank: own)))
        while stack.count > 1,
          let node = isInOrder
            ? 0..<shards : parent(of: stack[stack.count - 2].node, stack[stack.count - 1].node)
        {
          let right = stack.removeLast()
          add(right.sum, to: stack[stack.count - 1].sum)
          stack[stack.count - 1].node = node
        }
      }
    }
    return stack[0].sum
  }

  /// As the ranks of a job do, over the real sums; all of them call it.
  func sum(over collectives: any Collectives) throws -> AlignedMemory<Float> {
    let summation = try GradientSummation<Float>(
      length: plan.leaf.count, buckets: plan.buckets, shards: shards, over: collectives)
    engine.forget(arena)
    try summation.beginStep()
    for local in 0..<summation.localShards.count {
      let leaf = summation.leaf(forLocalShard: local)
      fill(leaf, shard: summation.localShards.lowerBound + local, rank: summation.localShards)
      for bucket in plan.buckets.indices { summation.endLeaf(bucket: bucket, localShard: local) }
    }
    for bucket in plan.buckets.indices { try summation.startSum(bucket) }
    for bucket in plan.buckets.indices { try summation.waitSum(bucket) }
    let sum = AlignedMemory<Float>(count: plan.leaf.count)
    sum.block.copy(from: summation.sum)
    summation.endStep()
    return sum
  }

  /// The tensors in which two sums differ, those that are finished first in front.
  func differences(_ a: AlignedMemory<Float>, _ b: AlignedMemory<Float>) -> [String] {
    var tensors = zip(plan.graph.statistics.map(\.name), plan.leaf.statistics).map { ($0, $1) }
    if let loss = plan.leaf.loss { tensors.append(("the loss", loss..<loss + 1)) }
    tensors += plan.leaf.order.map { (plan.graph.parameters[$0].name, plan.leaf.gradient(of: $0)) }
    return tensors.filter { a.block[$0.1].hash128 != b.block[$0.1].hash128 }.map(\.0)
  }

  var elementCount: Int {
    plan.graph.parameterCount + plan.graph.statistics.reduce(0) { $0 + $1.channels }
  }

  // MARK: Shards

  private func sum(of node: Range<Int>, rank: Range<Int>) -> AlignedMemory<Float> {
    guard node.count > 1 else {
      let leaf = AlignedMemory<Float>(count: plan.leaf.count)
      leaf.withBlock { fill($0, shard: node.lowerBound, rank: rank) }
      return leaf
    }
    let left = sum(of: SummationTree.left(node), rank: rank)
    let right = sum(of: SummationTree.right(node), rank: rank)
    add(right, to: left)
    return left
  }

  private func add(_ source: AlignedMemory<Float>, to target: AlignedMemory<Float>) {
    source.withBlock { source in target.withBlock { accumulate(source, into: $0) } }
  }

  /// The node of the tree that two neighbours are the halves of; nil: they are none's.
  private func parent(of left: Range<Int>, _ right: Range<Int>) -> Range<Int>? {
    guard left.upperBound == right.lowerBound else { return nil }
    let node = left.lowerBound..<right.upperBound
    let isNode = SummationTree.subtrees(inside: node, shards: shards) == [node]
    return isNode && SummationTree.left(node) == left ? node : nil
  }

  /// One shard's leaf.
  private func fill(_ leaf: Block<Float>, shard: Int, rank: Range<Int>) {
    material.activity.goOn()
    leaf.fill(0)
    let batch = material.size.batch
    let positions = ShardRange.samples(ofShard: shard, of: shards, samples: batch)
    var first = positions.lowerBound
    var count = batch
    // Of the faults of ranks one rank alone knows nothing.
    if case .sum(let fault) = material.fault, rank.count < shards {
      let start = ShardRange.samples(ofShard: rank.lowerBound, of: shards, samples: batch)
      let end = ShardRange.samples(ofShard: rank.upperBound - 1, of: shards, samples: batch)
      switch fault {
      case .dropoutOfRank: first -= start.lowerBound
      case .meanOverRank: count = end.upperBound - start.lowerBound
      case .lastShardLost: if shard == shards - 1 { return }
      case .inOrderOfArrival: break
      }
    }
    if positions.isEmpty { return }
    engine.beginShard(
      rows: positions.count, batchSize: count, step: 0, firstSample: first, leaf: leaf)
    material.samples.load(positions, into: engine)
    engine.runAll()
  }
}

extension ShardEngine<Float> {
  /// Fills the memory of activations with what must not matter.
  func forget(_ arena: AlignedMemory<Float>) { arena.block.fill(.nan) }
}
