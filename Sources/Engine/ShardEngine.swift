import Graph
import Kernels
import Plan
import Randomness
import Storage

/// Binds a plan to memory and kernels and runs its operations for one micro-shard at a time, or for several: see
/// `ShardEngine+Pass`.
///
/// Everything is looked up when it is made; running decides nothing and allocates nothing.
package final class ShardEngine<S: Scalar> {
  package let plan: ExecutionPlan
  let operations: [Operation]
  /// By value; shares of sums are bound anew for each micro-shard by `beginShard`.
  var blocks: [Block<S>]
  /// By value.
  private let extents: [Extent]
  /// Targets of all samples: class numbers, or rows of numbers.
  package let classes: Block<Int32>
  package let targets: Block<S>
  /// Whether targets are class numbers.
  package let usesClasses: Bool
  let scratch: Block<S>
  /// By operation; only losses with weights of classes have them.
  let classWeights: [AlignedMemory<S>?]
  /// By operation; only those that draw have one.
  let streams: [Philox?]
  let convolutions: [ConvolutionPlan?]
  /// By operation: whether its result depends on which samples make a micro-shard.
  let isShardWise: [Bool]
  /// By operation; only those that add or turn positions have one.
  let tables: [AlignedMemory<S>?]
  /// nil: no layer carries a state.
  package private(set) var states: CarriedStates<S>?
  /// Sample counts and counters of what is in hand: the samples of the pass, or one of its micro-shards.
  var rows = 0
  var firstRow = 0
  /// Which micro-shard of the pass is in hand.
  var placeInPass = 0
  var batchSize = 1
  var step: UInt64 = 0
  var firstSample: UInt64 = 0
  /// Where the micro-shards of the pass begin in a product's depth.
  var partBounds: [Int]

  /// Kept alive: blocks point into it.
  private let model: ModelMemory<S>
  private let arena: AlignedMemory<S>
  private let scratchMemory: AlignedMemory<S>
  private let classMemory: AlignedMemory<Int32>
  private let targetMemory: AlignedMemory<S>
  private let leafBindings: [(value: Int, range: Range<Int>)]

  /// - Parameters:
  ///   - arena: Memory to share with other engines that never run at the same time; nil: own memory.
  ///   - seed: Of the run, for dropout.
  package init(
    _ plan: ExecutionPlan, model: ModelMemory<S>, usesClasses: Bool, seed: UInt64,
    arena shared: AlignedMemory<S>? = nil
  ) {
    self.plan = plan
    self.model = model
    self.usesClasses = usesClasses
    operations = plan.graph.operations
    let arena = shared ?? AlignedMemory(count: plan.arena.count)
    precondition(arena.block.count >= plan.arena.count, "the shared arena is too small")
    self.arena = arena
    tables = operations.map { operation in
      operation.kind.table.map { AlignedMemory(copying: $0.map { S($0) }) }
    }
    isShardWise = operations.map { plan.graph.isShardWise($0) }
    convolutions = operations.map { $0.kind.geometry.map { ConvolutionPlan($0) } }
    scratchMemory = AlignedMemory(
      count: zip(operations, convolutions).map { operation, convolution in
        operation.kind.scratchCount(
          rows: plan.passCapacity, convolution: convolution, scalar: S.self)
      }.max() ?? 0)
    scratch = scratchMemory.block
    let outputs = plan.graph.target.map { plan.graph[$0].elementCount } ?? 0
    classMemory = AlignedMemory(count: usesClasses ? plan.passCapacity * plan.graph.answers : 0)
    targetMemory = AlignedMemory(count: usesClasses ? 0 : plan.passCapacity * outputs)
    classes = classMemory.block
    targets = targetMemory.block
    classWeights = operations.map { operation in
      operation.kind.classWeights.map { AlignedMemory(copying: $0.map { S($0) }) }
    }
    streams = operations.map { operation in
      operation.kind.dropoutStream.map { Philox(seed: seed, purpose: "dropout \($0)") }
    }
    partBounds = Array(repeating: 0, count: plan.shardsPerPass + 1)
    leafBindings = plan.graph.values.indices.compactMap { index in
      plan.leafRange(of: ValueID(index)).map { (index, $0) }
    }
    extents = plan.graph.values.map { Extent($0) }
    let empty = arena.block.prefix(0)
    blocks = plan.graph.values.indices.map { index in
      if let region = plan.arena.regions[index] { return arena.block[region] }
      switch plan.graph.values[index].role {
      case .parameter(let parameter): return model.parameter(parameter)
      case .statistic(let statistic): return model.statistic(statistic)
      default: return empty
      }
    }
    holdStates(rows: plan.passCapacity)
  }

  /// Where the samples go, `[capacity, elements]`.
  package var input: Block<S> { blocks[plan.graph.input.index] }

  /// The network's output after the last operation, `[rows, outputs]`.
  package var output: Block<S> {
    let value = plan.graph.output
    return blocks[value.index].prefix(rows * plan.graph[value].elementCount)
  }

  /// The input's gradient, for plans that keep it.
  package var inputGradient: Block<S>? {
    plan.graph.inputGradient.map { value in
      blocks[value.index].prefix(rows * plan.graph[value].elementCount)
    }
  }

  /// The losses of the samples' answers, for plans with a loss.
  package var losses: Block<S>? {
    operations.first { $0.kind.isLoss }.map { block($0.outputs[0]) }
  }

  /// What each answer counts in the mean over those of its sample; nil: all the same.
  package var answerWeights: Block<S>? {
    for operation in operations {
      if case .answerWeights = operation.kind { return block(operation.outputs[0]) }
    }
    return nil
  }

  /// Says which samples the next operations work on.
  ///
  /// - Parameters:
  ///   - rows: Samples of the micro-shard, or of all of a pass, at most the plan's capacity.
  ///   - batchSize: True size of the whole batch, which the loss's gradient is divided by.
  ///   - step: The training step, for dropout.
  ///   - firstSample: Position of the first sample in the batch, for dropout.
  ///   - leaf: Where gradients and other shares of sums go.
  package func beginShard(
    rows: Int, batchSize: Int, step: Int, firstSample: Int, leaf: Block<S>?
  ) {
    precondition(rows <= plan.passCapacity, "\(rows) samples in a plan for \(plan.passCapacity)")
    self.rows = rows
    firstRow = 0
    placeInPass = 0
    self.batchSize = batchSize
    self.step = UInt64(step)
    self.firstSample = UInt64(firstSample)
    guard let leaf else { return }
    for binding in leafBindings { blocks[binding.value] = leaf[binding.range] }
  }

  /// Makes room for the states of so many rows, all zero.
  package func holdStates(rows: Int) {
    guard !plan.graph.states.isEmpty else { return }
    states = CarriedStates(plan.graph.states, rows: rows, samples: plan.passCapacity)
    bindStates()
  }

  /// Lets the windows that come next go on where those that were computed last ended.
  package func advanceStates() {
    guard let states else { return }
    states.advance()
    bindStates()
  }

  private func bindStates() {
    guard let states else { return }
    for (index, value) in plan.graph.values.enumerated() {
      switch value.role {
      case .state(let state): blocks[index] = states.current(state)
      case .nextState(let state): blocks[index] = states.next(state)
      default: continue
      }
    }
  }

  /// Runs all operations in order, for plans without communication.
  package func runAll() {
    for index in operations.indices { run(index) }
  }

  /// Runs everything but the sums and counts that training keeps, for plans of a forward pass.
  package func runInference() {
    for index in operations.indices {
      switch operations[index].kind {
      case .sumLosses, .sumShares, .countCorrect, .countSpelled, .lossTerm: continue
      default: run(index)
      }
    }
  }

  /// Exchanges the parameters that the operations read, for a moving average of the weights.
  ///
  /// - Parameter leaf: Layout of the parameter buffer; the training plan's, whose order rules.
  package func bind(parameters: Block<S>, of leaf: LeafLayout) {
    for (index, value) in plan.graph.values.enumerated() {
      if case .parameter(let parameter) = value.role {
        blocks[index] = parameters[leaf.parameters[parameter]]
      }
    }
  }

  /// The written part of a value for the samples in hand.
  package func block(_ value: ValueID) -> Block<S> {
    let whole = blocks[value.index]
    let extent = extents[value.index]
    if extent.growsWithSamples {
      let start = firstRow * extent.elementCount
      return whole[start..<start + rows * extent.elementCount]
    }
    guard let stride = extent.shardStride else { return whole }
    let start = placeInPass * stride
    return whole[start..<start + extent.elementCount]
  }

  /// The class numbers of the samples in hand.
  var classesInHand: Block<Int32> { classes[firstRow * plan.graph.answers..<classes.count] }

  /// The target rows of the samples in hand.
  var targetsInHand: Block<S> {
    targets[firstRow * (targets.count / plan.passCapacity)..<targets.count]
  }
}

/// How much of a value's block belongs to the samples in hand.
private struct Extent {
  /// For each sample, or in all.
  let elementCount: Int
  let growsWithSamples: Bool
  /// From one micro-shard of a pass to the next; nil: the whole block belongs to all.
  let shardStride: Int?

  init(_ value: Value) {
    elementCount = value.elementCount
    growsWithSamples = value.role.growsWithSamples
    shardStride = value.role == .shardConstant ? ArenaLayout.shardStride(of: value) : nil
  }
}
