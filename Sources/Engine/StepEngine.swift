import DataParallel
import Graph
import Kernels
import Metrics
import Optimizers
import Plan
import Storage

/// Runs training steps: the rank's micro-shards one after another, their sum over all ranks, the
/// update.
package final class StepEngine<S: Scalar> {
  package let engine: ShardEngine<S>
  package let model: ModelMemory<S>
  package let optimizer: Optimizer<S>
  package let summation: GradientSummation<S>
  private let plan: ExecutionPlan
  private let limits: GradientLimits
  /// The bucket whose end tells the other ranks what this one asks for.
  private let controlBucket: Int?

  private let shards: Int
  /// The number within the batch of the first shard that is computed here.
  private let firstShard: Int
  private let activity: RankActivity

  /// - Parameters:
  ///   - shards: V, micro-shards of a batch.
  ///   - firstShard: Of those of this rank, where `summation` knows only them; nil: it knows all V.
  package init(
    engine: ShardEngine<S>, model: ModelMemory<S>, optimizer: Optimizer<S>,
    summation: GradientSummation<S>, shards: Int, firstShard: Int? = nil, limits: GradientLimits,
    activity: RankActivity = RankActivity()
  ) {
    self.activity = activity
    self.engine = engine
    self.model = model
    self.optimizer = optimizer
    self.summation = summation
    self.limits = limits
    self.shards = shards
    self.firstShard = firstShard ?? summation.localShards.lowerBound
    plan = engine.plan
    let control = engine.plan.leaf.control
    controlBucket =
      control.isEmpty ? nil : plan.buckets.firstIndex { $0.contains(control.lowerBound) }
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
    try summation.beginStep()
    for local in 0..<summation.localShards.count {
      try runShard(local, batch, requests: requests, load: load)
    }
    var result = StepResult()
    for (index, instruction) in plan.finish.enumerated() {
      activity.begin(instruction: plan.shard.count + index)
      switch instruction {
      case .waitSum(let bucket): try summation.waitSum(bucket)
      case .check:
        result = try check(batch)
        prepareUpdate(batch, norm: result.gradientNorm)
      case .update(let bucket): update(plan.buckets[bucket], batch, norm: result.gradientNorm)
      default: preconditionFailure("\(instruction) at the end of a step")
      }
    }
    model.updateStatistics(from: summation.sum)
    summation.endStep()
    return result
  }

  private func runShard(
    _ local: Int, _ batch: StepBatch, requests: () -> StepRequests,
    load: (Range<Int>) throws -> Void
  ) throws {
    let positions = positions(ofLocalShard: local, batch)
    activity.begin(shard: firstShard + local)
    begin(positions, batch, leaf: summation.leaf(forLocalShard: local))
    if !positions.isEmpty { try activity.during(.data) { try load(positions) } }
    let isLast = local == summation.localShards.count - 1
    for (index, instruction) in plan.shard.enumerated() {
      activity.begin(instruction: index)
      switch instruction {
      case .run(let operation): if !positions.isEmpty { engine.run(operation) }
      case .endLeaf(let bucket):
        if positions.isEmpty { summation.zeroLeaf(bucket: bucket, localShard: local) }
        if bucket == controlBucket {
          (local == 0 ? requests() : []).write(
            into: summation.leaf(forLocalShard: local)[plan.leaf.control])
        }
        summation.endLeaf(bucket: bucket, localShard: local)
        if isLast { try summation.startSum(bucket) }
      case .poll: if isLast { try summation.poll() }
      default: preconditionFailure("\(instruction) within a micro-shard")
      }
    }
  }

  /// The positions of the batch that one of the rank's micro-shards takes.
  private func positions(ofLocalShard local: Int, _ batch: StepBatch) -> Range<Int> {
    ShardRange.samples(
      ofShard: firstShard + local, of: shards, samples: batch.count)
  }

  private func begin(_ positions: Range<Int>, _ batch: StepBatch, leaf: Block<S>?) {
    engine.beginShard(
      rows: positions.count, batchSize: batch.meanCount, step: batch.step,
      firstSample: positions.lowerBound, leaf: leaf)
  }

  private func check(_ batch: StepBatch) throws -> StepResult {
    let sums = summation.sum
    let gradient = sums[plan.leaf.parameterStart..<plan.leaf.count]
    var result = StepResult()
    result.loss = plan.leaf.loss.map { Double(sums[$0]) / Double(batch.meanCount) } ?? 0
    result.accuracy = plan.leaf.correct.map { Double(sums[$0]) / Double(batch.meanCount) }
    result.gradientNorm = sumOfSquares(gradient).squareRoot()
    result.requests = StepRequests(summed: sums[plan.leaf.control])
    guard result.loss.isFinite, result.gradientNorm.isFinite else {
      throw NotFinite(step: batch.step, loss: result.loss, gradientNorm: result.gradientNorm)
    }
    return result
  }

  /// What LARS and LAMB have to know of whole tensors before the first bucket is updated.
  private func prepareUpdate(_ batch: StepBatch, norm: Double) {
    guard optimizer.needsNorms else { return }
    optimizer.prepare(
      0..<plan.leaf.parameterCount, weights: model.parameters,
      gradient: summation.sum[plan.leaf.parameterStart..<plan.leaf.count], step: batch.step + 1,
      gradientScale: gradientScale(norm), clipValue: limits.value)
    optimizer.combineNorms(step: batch.step + 1)
  }

  private func gradientScale(_ norm: Double) -> Double {
    limits.norm.map { clipScale(norm: norm, limit: $0) } ?? 1
  }

  private func update(_ bucket: Range<Int>, _ batch: StepBatch, norm: Double) {
    let start = max(bucket.lowerBound, plan.leaf.parameterStart)
    guard start < bucket.upperBound else { return }
    let range = start - plan.leaf.parameterStart..<bucket.upperBound - plan.leaf.parameterStart
    optimizer.update(
      range, weights: model.parameters[range],
      gradient: summation.sum[start..<bucket.upperBound], step: batch.step + 1,
      learningRate: batch.learningRate,
      gradientScale: gradientScale(norm), clipValue: limits.value)
  }

  /// Repeats the rank's part of a step and names the first operation whose result is not finite.
  package func firstNotFinite(
    _ batch: StepBatch, load: (_ positions: Range<Int>) throws -> Void
  ) throws -> Int? {
    var first: Int?
    for local in 0..<summation.localShards.count {
      let positions = positions(ofLocalShard: local, batch)
      if positions.isEmpty { continue }
      begin(positions, batch, leaf: summation.leaf(forLocalShard: local))
      try load(positions)
      for index in engine.operations.indices where index < first ?? .max {
        engine.run(index)
        let outputs = engine.operations[index].outputs
        if outputs.contains(where: { firstNonFinite(in: engine.block($0)) != nil }) {
          first = index
        }
      }
    }
    return first
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

  package init(count: Int, step: Int, learningRate: Double) {
    self.count = count
    meanCount = count
    self.step = step
    self.learningRate = learningRate
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
