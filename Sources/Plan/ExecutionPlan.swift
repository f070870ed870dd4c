import Graph

/// A training step (or a forward pass) as a program: every decision made, every place fixed.
///
/// `shard` runs once per pass, for one micro-shard of the rank or several, `finish` once per step after the last of them.
package struct ExecutionPlan: Equatable, Sendable {
  package private(set) var graph: ModelGraph
  package private(set) var leaf: LeafLayout
  package private(set) var arena: ArenaLayout
  /// Slices of the leaf that are summed as one message, in the order in which they are complete.
  package private(set) var buckets: [Range<Int>]
  package private(set) var shard: [Instruction]
  package private(set) var finish: [Instruction]
  /// Samples of the largest micro-shard.
  package private(set) var capacity: Int
  /// Micro-shards that go through the network together, at most.
  package private(set) var shardsPerPass: Int

  /// The plan of a training step.
  ///
  /// - Parameters:
  ///   - forward: The forward graph with its loss, in training mode (or evaluation mode, to probe).
  ///   - capacity: Samples of the largest micro-shard.
  ///   - options: Rewrites and bucket size.
  ///   - holdsOutput: Whether the network's output must survive the step.
  ///   - inputGradient: Whether the gradient of the input is computed and survives.
  package init(
    training forward: ModelGraph, capacity: Int, options: PlanOptions = PlanOptions(),
    holdsOutput: Bool = false, inputGradient: Bool = false
  ) {
    let fused = options.fusion ? fuseActivations(in: forward) : forward
    var step = fused.differentiated(inputGradient: inputGradient)
    if options.recompute == .blocks {
      step = step.recomputingBlocks(forwardCount: fused.operations.count)
    }
    self.init(step: step, capacity: capacity, options: options, holdsOutput: holdsOutput)
  }

  /// The plan of a training step whose graph has its backward half already.
  package init(
    step graph: ModelGraph, capacity: Int, options: PlanOptions = PlanOptions(),
    holdsOutput: Bool = false
  ) {
    var held: Set<ValueID> = holdsOutput ? [graph.output] : []
    if let gradient = graph.inputGradient { held.insert(gradient) }
    self.init(
      graph, capacity: capacity,
      shardsPerPass: Passes.shardCount(graph, capacity: capacity, held: held, options: options),
      held: held)
    (shard, buckets) = schedule(graph, leaf, bucketElements: options.bucketElements)
    finish = buckets.indices.map { .waitSum(bucket: $0) } + [.check]
    finish += buckets.indices.map { .update(bucket: $0) }
    verify()
  }

  /// The plan of a forward pass whose output (and losses, with a loss) survive it.
  ///
  /// - Parameter values: That survive it as well; nothing may have been fused into them.
  package init(
    inference forward: ModelGraph, capacity: Int, options: PlanOptions = PlanOptions(),
    holding values: Set<ValueID> = []
  ) {
    let graph = options.fusion ? fuseActivations(in: forward) : forward
    var held = values.union([graph.output])
    for operation in graph.operations {
      switch operation.kind {
      case .loss, .answerWeights: held.insert(operation.outputs[0])
      case .temporalLoss:
        held.formUnion(operation.inputs.dropFirst(2) + operation.outputs.prefix(1))
      default: continue
      }
    }
    self.init(graph, capacity: capacity, shardsPerPass: 1, held: held)
    shard = graph.operations.indices.map { .run(operation: $0) }
    verify()
  }

  private init(_ graph: ModelGraph, capacity: Int, shardsPerPass: Int, held: Set<ValueID>) {
    self.graph = graph
    self.capacity = capacity
    self.shardsPerPass = shardsPerPass
    leaf = LeafLayout(graph)
    arena = ArenaLayout(graph, capacity: capacity, shards: shardsPerPass, held: held)
    buckets = []
    shard = []
    finish = []
  }
}

extension ExecutionPlan {
  /// The most samples that go through the network together.
  package var passCapacity: Int { capacity * shardsPerPass }

  /// Elements of what is summed over the ranks within a micro-shard, in the order of the program.
  package var batchSumCounts: [Int] {
    shard.compactMap { instruction in
      guard case .sumOverRanks(let operation) = instruction else { return nil }
      return graph[graph.operations[operation].outputs[0]].elementCount
    }
  }
}

package struct PlanOptions: Equatable, Sendable {
  package var fusion: Bool
  /// Elements from which on a bucket is closed.
  package var bucketElements: Int
  /// What backward computes again.
  package var recompute: Recomputation
  /// Micro-shards of a rank, of which some may go through the network together.
  package var shards: Int
  /// Elements that the values of a pass may have; nil: by the size of the model.
  package var passElements: Int?

  package init(
    fusion: Bool = true, bucketElements: Int = 1 << 18, recompute: Recomputation = .nothing,
    shards: Int = 1, passElements: Int? = nil
  ) {
    self.fusion = fusion
    self.bucketElements = bucketElements
    self.recompute = recompute
    self.shards = shards
    self.passElements = passElements
  }
}

package enum Instruction: Equatable, Sendable {
  case run(operation: Int)
  /// Puts the sum over all ranks in the place of the operation's first output; all ranks wait for each other.
  case sumOverRanks(operation: Int)
  /// This micro-shard's part of the bucket is complete: fold it into the tree; after the rank's last
  /// micro-shard its sum over the ranks starts.
  case endLeaf(bucket: Int)
  /// Moves started sums forward.
  case poll
  case waitSum(bucket: Int)
  /// Refuses sums that are not finite, and finds the factor that clips the gradient.
  case check
  case update(bucket: Int)
}

/// Backward's order with each bucket closed as soon as its last gradient is there.
private func schedule(
  _ graph: ModelGraph, _ leaf: LeafLayout, bucketElements: Int
) -> (program: [Instruction], buckets: [Range<Int>]) {
  var program: [Instruction] = []
  var buckets: [Range<Int>] = []
  var bucketStart = 0
  let read = Set(graph.operations.flatMap(\.inputs))
  for (index, operation) in graph.operations.enumerated() {
    program.append(.run(operation: index))
    if let end = leaf.end(after: operation, graph),
      end - bucketStart >= bucketElements || end == leaf.count
    {
      program.append(.endLeaf(bucket: buckets.count))
      buckets.append(bucketStart..<end)
      bucketStart = end
    } else if !buckets.isEmpty {
      program.append(.poll)
    }
    // After the bucket's start, so that others need not wait for it the longer.
    if operation.kind.givesBatchShare, read.contains(operation.outputs[0]) {
      program.append(.sumOverRanks(operation: index))
    }
  }
  if bucketStart < leaf.count {
    program.append(.endLeaf(bucket: buckets.count))
    buckets.append(bucketStart..<leaf.count)
  }
  return (program, buckets)
}

extension LeafLayout {
  /// Up to where the leaf is complete once a backward operation has run; nil: it finishes no gradient.
  fileprivate func end(after operation: Operation, _ graph: ModelGraph) -> Int? {
    let finished = operation.outputs.compactMap { output in
      if case .parameterGradient(let parameter) = graph[output].role { parameter } else { nil }
    }
    return finished.last.map { $0 == order.last ? count : alignedEnd(of: $0) }
  }

  /// Where the slot of a parameter's gradient ends, the gap behind it included.
  fileprivate func alignedEnd(of parameter: Int) -> Int {
    let end = gradient(of: parameter).upperBound
    return (end + Self.alignment - 1) / Self.alignment * Self.alignment
  }
}
