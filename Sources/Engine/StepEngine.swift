import DataParallel
import Graph
import Kernels
import Metrics
import Optimizers
import Plan
import Storage

/// Runs training steps: the rank's micro-shards pass after pass, their sum over all ranks, the
/// update.
package final class StepEngine<S: Scalar> {
  /// Of the batch in hand.
  package private(set) var engine: ShardEngine<S>
  /// By length bucket, the shortest first.
  private let engines: [ShardEngine<S>]
  package let model: ModelMemory<S>
  package let summation: GradientSummation<S>
  /// For plans that sum over the ranks within a micro-shard.
  private let batchSums: BatchSums<S>?
  /// At the padded length: what is summed, and how a step ends, is the same for all engines.
  private let plan: ExecutionPlan
  private let update: StepUpdate<S>
  /// Of the newest step, the means that its loss is the sum of: that of the model's end, then the auxiliary losses; empty
  /// where there is one loss.
  package private(set) var lossTerms: [Double]
  /// The bucket whose end tells the other ranks what this one asks for.
  private let controlBucket: Int?

  private let shards: Int
  /// The number within the batch of the first shard that is computed here.
  private let firstShard: Int
  private let activity: RankActivity

  /// - Parameters:
  ///   - shorter: For batches of shorter sequences, by ascending length.
  ///   - average: Follows the weights after each update.
  ///   - board: Of the ranks that divide the update; nil: this rank updates everything.
  ///   - shards: V, micro-shards of a batch.
  ///   - firstShard: Of those of this rank, where `summation` knows only them; nil: it knows all V.
  package init(
    engine: ShardEngine<S>, shorter: [ShardEngine<S>] = [], model: ModelMemory<S>,
    optimizer: Optimizer<S>,
    average: ExponentialMovingAverage<S>? = nil, summation: GradientSummation<S>,
    batchSums: BatchSums<S>? = nil, board: UpdateBoard? = nil, shards: Int, firstShard: Int? = nil,
    limits: GradientLimits, activity: RankActivity = RankActivity()
  ) {
    precondition(
      board.map { $0.ranks == 1 } ?? true || summation.sharesMemory,
      "ranks divide the update without a sum that all of them see")
    precondition(
      shorter.allSatisfy { $0.plan.sumsAlike(engine.plan) },
      "plans for shorter sequences add up something else")
    self.activity = activity
    self.engine = engine
    engines = shorter + [engine]
    self.model = model
    self.summation = summation
    self.batchSums = batchSums
    update = StepUpdate(
      model: model, optimizer: optimizer, average: average, limits: limits, board: board)
    self.shards = shards
    self.firstShard = firstShard ?? summation.localShards.lowerBound
    plan = engine.plan
    engine.holdStates(rows: summation.localShards.count * plan.capacity)
    lossTerms = engine.plan.leaf.lossTerms.map { _ in 0 }
    let control = engine.plan.leaf.control
    controlBucket =
      control.isEmpty ? nil : plan.buckets.firstIndex { $0.contains(control.lowerBound) }
  }

  /// The time this rank spent on the others and could not compute.
  package var waiting: SumWaiting {
    summation.waiting + update.waiting + (batchSums?.waiting ?? SumWaiting())
  }

  /// One step over a batch, of which this rank computes its micro-shards.
  ///
  /// - Parameters:
  ///   - batch: True size, step and learning rate.
  ///   - requests: What this rank asks of all ranks; read once, late in the first micro-shard.
  ///   - load: Fills the engine's input and targets with the given positions of the batch.
  /// - Returns: Loss, right answers, gradient norm of the whole batch and what any rank asked for, the
  ///   same on every rank.
  /// - Throws: `NotFinite` before anything is updated.
  package func run(
    _ batch: StepBatch, requests: () -> StepRequests = { [] },
    load: (_ positions: Range<Int>) throws -> Void
  ) throws -> StepResult {
    engine = engines[batch.lengthBucket]
    try summation.beginStep()
    try batchSums?.beginStep()
    let count = summation.localShards.count
    let shardsPerPass = engine.plan.shardsPerPass
    for first in stride(from: 0, to: count, by: shardsPerPass) {
      let shards = first..<min(first + shardsPerPass, count)
      try runPass(pass(shards, batch), batch, requests: requests, load: load)
    }
    batchSums?.endStep()
    var result = StepResult()
    for (index, instruction) in plan.finish.enumerated() {
      activity.begin(instruction: plan.shard.count + index)
      switch instruction {
      case .waitSum(let bucket): try summation.waitSum(bucket)
      case .check:
        result = try check(batch)
        update.prepare(batch, norm: result.gradientNorm, sum: summation.sum)
      case .update(let bucket):
        update.update(
          plan.buckets[bucket], batch, norm: result.gradientNorm, sum: summation.sum)
      default: preconditionFailure("\(instruction) at the end of a step")
      }
    }
    update.exchange(summation.sum)
    model.updateStatistics(from: summation.sum)
    engine.advanceStates()
    summation.endStep()
    return result
  }

  private func runPass(
    _ pass: ShardPass, _ batch: StepBatch, requests: () -> StepRequests,
    load: (Range<Int>) throws -> Void
  ) throws {
    let shards = pass.shards
    let positions = pass.samples
    activity.begin(shard: firstShard + shards.lowerBound)
    begin(pass, batch, leaf: summation.leaf(forLocalShard: shards.lowerBound))
    if !positions.isEmpty { try activity.during(.data) { try load(positions) } }
    let isLast = shards.upperBound == summation.localShards.count
    let isAlone = shards.count == 1
    let engine = engine
    for (index, instruction) in engine.plan.shard.enumerated() {
      activity.begin(instruction: index)
      switch instruction {
      case .run(let operation):
        if !isAlone {
          engine.run(operation, pass, into: summation)
        } else if !positions.isEmpty {
          engine.run(operation)
        }
      case .sumOverRanks(let operation):
        try sumOverRanks(operation, isShardEmpty: positions.isEmpty)
      case .endLeaf(let bucket):
        for shard in shards { endLeaf(bucket, shard, of: pass, requests: requests) }
        if isLast { try summation.startSum(bucket) }
      case .poll: if isLast { try summation.poll() }
      default: preconditionFailure("\(instruction) within a micro-shard")
      }
    }
  }

  private func endLeaf(
    _ bucket: Int, _ shard: Int, of pass: ShardPass, requests: () -> StepRequests
  ) {
    let isFolded = pass.shards.count > 1
    if !isFolded, pass.samples.isEmpty { summation.zeroLeaf(bucket: bucket, localShard: shard) }
    if bucket == controlBucket {
      let control = plan.leaf.control
      (shard == 0 ? requests() : []).write(into: summation.leaf(forLocalShard: shard)[control])
      if isFolded { summation.fold(control, localShard: shard) }
    }
    summation.endLeaf(bucket: bucket, localShard: shard, isFolded: isFolded)
  }

  /// Every rank takes part, with or without samples.
  private func sumOverRanks(_ operation: Int, isShardEmpty: Bool) throws {
    guard let batchSums else { preconditionFailure("a plan with sums over ranks, and no ranks") }
    let share = engine.block(engine.operations[operation].outputs[0])
    if isShardEmpty { share.fill(0) }
    try batchSums.sum(share)
  }

  private func pass(_ locals: Range<Int>, _ batch: StepBatch) -> ShardPass {
    ShardPass(locals, firstShard: firstShard, shardCount: shards, sampleCount: batch.count)
  }

  private func begin(_ pass: ShardPass, _ batch: StepBatch, leaf: Block<S>?) {
    let positions = pass.samples
    engine.states?.place(pass, capacity: plan.capacity)
    engine.beginShard(
      rows: positions.count, batchSize: batch.meanCount, step: batch.step,
      firstSample: positions.lowerBound, leaf: leaf)
  }

  private func check(_ batch: StepBatch) throws -> StepResult {
    let sums = summation.sum
    var result = StepResult()
    result.loss = plan.leaf.loss.map { Double(sums[$0]) / Double(batch.meanCount) } ?? 0
    for (index, place) in plan.leaf.lossTerms.enumerated() {
      lossTerms[index] = Double(sums[place]) / Double(batch.meanCount)
    }
    result.accuracy = plan.leaf.correct.map { Double(sums[$0]) / Double(batch.meanCount) }
    result.gradientNorm = update.measure(sums)
    result.requests = StepRequests(summed: sums[plan.leaf.control])
    guard result.loss.isFinite, result.gradientNorm.isFinite else {
      throw NotFinite(step: batch.step, loss: result.loss, gradientNorm: result.gradientNorm)
    }
    return result
  }

  /// Repeats the rank's part of a step, as all ranks do together, and names the first operation whose result is not finite.
  package func firstNotFinite(
    _ batch: StepBatch, load: (_ positions: Range<Int>) throws -> Void
  ) throws -> Int? {
    engine = engines[batch.lengthBucket]
    // Leaves are written again only when all ranks have read in the sum what went wrong.
    try summation.beginStep()
    var first: Int?
    try batchSums?.beginStep()
    for local in 0..<summation.localShards.count {
      let pass = self.pass(local..<local + 1, batch)
      let positions = pass.samples
      begin(pass, batch, leaf: summation.leaf(forLocalShard: local))
      if !positions.isEmpty { try load(positions) }
      for instruction in engine.plan.shard {
        switch instruction {
        case .run(let index) where !positions.isEmpty:
          engine.run(index)
          if index < first ?? .max, !isFinite(engine.operations[index]) { first = index }
        case .sumOverRanks(let operation):
          try sumOverRanks(operation, isShardEmpty: positions.isEmpty)
        default: continue
        }
      }
    }
    batchSums?.endStep()
    return first
  }

  private func isFinite(_ operation: Operation) -> Bool {
    operation.outputs.allSatisfy { firstNonFinite(in: engine.block($0)) == nil }
  }
}

/// What a step is told.
package struct StepBatch: Sendable {
  /// True number of samples over all ranks.
  package var count: Int
  /// Samples that loss and gradient are the mean of: all, or those of a rank that steps alone.
  package var meanCount: Int
  /// From 0.
  package var step: Int
  package var learningRate: Double
  /// Which engine is for its sequences, the shortest first; 0 where there is one engine.
  package var lengthBucket: Int

  package init(count: Int, step: Int, learningRate: Double, lengthBucket: Int = 0) {
    self.count = count
    meanCount = count
    self.step = step
    self.learningRate = learningRate
    self.lengthBucket = lengthBucket
  }
}

extension ExecutionPlan {
  /// Whether steps of both plans may follow each other: what ranks add up lies and travels in the same way.
  fileprivate func sumsAlike(_ other: ExecutionPlan) -> Bool {
    leaf == other.leaf && buckets == other.buckets && batchSumCounts == other.batchSumCounts
  }
}

/// Largest allowed L2 norm of the whole gradient and largest allowed magnitude of an element.
package struct GradientLimits: Sendable {
  package var norm: Double?
  package var value: Double?

  package init(norm: Double? = nil, value: Double? = nil) {
    self.norm = norm
    self.value = value
  }
}

/// What a step found, over the whole batch.
package struct StepResult: Sendable {
  package var loss = 0.0
  /// Share of right answers, for losses with answers.
  package var accuracy: Double?
  package var gradientNorm = 0.0
  /// What any rank asked for.
  package var requests: StepRequests = []

  package init() {}
}

/// A loss or gradient that is not finite; nothing was updated.
package struct NotFinite: Error {
  package var step: Int
  package var loss: Double
  package var gradientNorm: Double
}
