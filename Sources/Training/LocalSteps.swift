import Collectives
import DataParallel
import Diagnostics
import Engine
import Kernels
import Optimizers
import Plan
import Storage

// R ranks; a period is the steps from one mean to the next.

/// Steps that every rank takes alone, and the mean of all replicas after a period of them.
///
/// A rank computes the gradient of its own part of each batch, the mean over its own samples, and updates its
/// own replica. After the period all replicas become their mean, weighted by the samples that each has seen in it:
///
/// ```text
/// x = sum over r of (n_r / n) x_r     for weights, optimizer state, average of weights, running statistics
/// ```
/// With plain SGD and one step per period that is the step over the whole batch. A rank whose part of a batch is
/// empty sits the step out. Whatever ranks have to agree on, they agree on at the end of a period.
///
/// Source: Stich, ICLR 2019, "Local SGD converges fast and communicates little", algorithm 1; the weights as in
/// McMahan, Moore, Ramage, Hampson and Agüera y Arcas, AISTATS 2017, "Communication-efficient learning of
/// deep networks from decentralized data", algorithm 1.
final class LocalSteps {
  private let replica: Replica
  private let steps: StepEngine<Float>
  private let collectives: any Collectives
  /// This rank's shards of V.
  private let shards: Range<Int>
  private let shardCount: Int
  /// Of everything that is laid out like the parameters.
  private let parameterSum: SumOverRanks<Float>
  private let pageSum: SumOverRanks<Float>
  /// Figures and requests of the period, then the running statistics.
  private let page: AlignedMemory<Float>
  private var period: Period
  /// Means over all samples of the newest period, as `StepEngine.lossTerms` of a step.
  private(set) var lossTerms: [Double]
  /// The first step of this rank whose loss or gradient was not finite; it was not taken, nor any after it.
  private var fault: (NotFinite, StepBatch)?
  private var periodStart = ContinuousClock.now
  /// What the last period took: until the next mean nobody can stop the run.
  private(set) var periodDuration = Duration.zero

  /// All ranks make theirs together.
  init(
    _ spec: RunSpec, _ plan: ExecutionPlan, replica: Replica, steps: StepEngine<Float>,
    over collectives: any Collectives
  ) throws {
    self.replica = replica
    self.steps = steps
    self.collectives = collectives
    shardCount = spec.training.shards
    shards = ShardRange.shards(
      ofRank: collectives.rank, of: collectives.ranks, shards: shardCount)
    let bucket = plan.buckets.map(\.count).max() ?? plan.leaf.count
    parameterSum = try SumOverRanks(
      length: plan.leaf.parameterCount, bucketElements: bucket, over: collectives)
    lossTerms = plan.leaf.lossTerms.map { _ in 0 }
    period = Period(lossTerms: lossTerms)
    page = AlignedMemory(
      count: Figure.count + lossTerms.count + replica.model.statistics.count)
    pageSum = try SumOverRanks(
      length: page.block.count, bucketElements: bucket, over: collectives,
      firstTag: parameterSum.nextTag)
  }

  /// The time this rank spent on the means.
  var waiting: SumWaiting { parameterSum.waiting + pageSum.waiting }

  // MARK: A step

  /// This rank's part of a step.
  func take(_ batch: StepBatch, load: (Range<Int>) throws -> Void) throws {
    var batch = batch
    batch.meanCount = ownPositions(batch).count
    period.allSamples += batch.count
    if fault != nil { return }
    guard batch.meanCount > 0 else {
      // The average goes on following the weights, as it does on the ranks that step.
      replica.average?.update(
        0..<replica.model.parameters.count, weights: replica.model.parameters, step: batch.step + 1)
      return
    }
    do {
      period.add(
        try steps.run(batch, load: load), steps.lossTerms, samples: batch.meanCount)
    } catch let notFinite as NotFinite {
      fault = (notFinite, batch)
    }
  }

  private func ownPositions(_ batch: StepBatch) -> Range<Int> {
    func samples(_ shard: Int) -> Range<Int> {
      ShardRange.samples(ofShard: shard, of: shardCount, samples: batch.count)
    }
    return samples(shards.lowerBound).lowerBound..<samples(shards.upperBound - 1).upperBound
  }

  // MARK: The end of a period

  /// Makes all replicas their mean; all ranks call it after the same step.
  ///
  /// - Parameter load: As in `take`, for the step of a batch.
  /// - Returns: Means over all samples of the period, how many these were, and what any rank asked for.
  /// - Throws: The `AgreedFailure` of the first step that was not finite on any rank.
  func average(
    requests: StepRequests, load: (StepBatch, Range<Int>) throws -> Void
  ) throws -> (result: StepResult, samples: Int) {
    let weight = Float(Double(period.samples) / Double(period.allSamples))
    write(requests, weight: weight)
    try pageSum.replace(page.block)
    if page.block[Figure.fault] > 0 { throw try divergence(load) }
    replica.model.statistics.copy(from: statistics)
    for index in lossTerms.indices {
      lossTerms[index] = Double(page.block[Figure.count + index]) / Double(period.allSamples)
    }
    for index in 0..<replica.optimizer.slotNames.count {
      try average(replica.optimizer.slot(index), weight)
    }
    if let average = replica.average { try self.average(average.average, weight) }
    try average(replica.model.parameters, weight)
    defer {
      period.restart()
      periodDuration = ContinuousClock.now - periodStart
      periodStart = .now
    }
    return (result, period.allSamples)
  }

  private func average(_ block: Block<Float>, _ weight: Float) throws {
    scale(block, by: weight)
    try parameterSum.replace(block)
  }

  private func write(_ requests: StepRequests, weight: Float) {
    page.block[Figure.loss] = Float(period.loss)
    page.block[Figure.right] = Float(period.right)
    page.block[Figure.norm] = Float(period.norm)
    page.block[Figure.fault] = fault == nil ? 0 : 1
    requests.write(into: page.block[Figure.requests])
    for (index, term) in period.lossTerms.enumerated() {
      page.block[Figure.count + index] = Float(term)
    }
    statistics.copy(from: replica.model.statistics)
    scale(statistics, by: weight)
  }

  /// Of the model, behind figures and terms.
  private var statistics: Block<Float> {
    page.block[Figure.count + lossTerms.count..<page.block.count]
  }

  /// What the summed page says.
  private var result: StepResult {
    let count = Double(period.allSamples)
    var result = StepResult()
    result.loss = Double(page.block[Figure.loss]) / count
    if steps.engine.plan.leaf.correct != nil {
      result.accuracy = Double(page.block[Figure.right]) / count
    }
    result.gradientNorm = Double(page.block[Figure.norm]) / count
    result.requests = StepRequests(summed: page.block[Figure.requests])
    return result
  }

  /// The rank with the earliest step that was not finite searches it for the layer that went bad first, and
  /// all ranks say what it found.
  private func divergence(
    _ load: (StepBatch, Range<Int>) throws -> Void
  ) throws -> AgreedFailure {
    let ranks = collectives.ranks
    // Steps count down from a number that none reaches, so that the earliest is the largest; then the ranks.
    let last = 1 << 50
    let own = fault.map { last - $0.1.step * ranks - collectives.rank } ?? 0
    let first = try collectives.allMaximum(own)
    let rank = (last - first) % ranks
    var message: [UInt8] = []
    if rank == collectives.rank, let (notFinite, batch) = fault {
      let index = try steps.firstNotFinite(batch) { try load(batch, $0) }
      let operation = index.map { steps.engine.plan.graph.operations[$0] }
      let text = divergenceDiagnostic(notFinite, first: operation, rank: collectives.identity)
      message = Array("\(text)".utf8)
    }
    try collectives.broadcast(&message, from: rank)
    return AgreedFailure(
      message: String(decoding: message, as: UTF8.self), exitCode: ExitCode.diverged)
  }

  /// Where the sums over a period lie in the page; those of the loss's terms come behind them.
  private enum Figure {
    static let loss = 0
    static let right = 1
    static let norm = 2
    static let fault = 3
    static let requests = 16..<32
    static let count = 32
  }

  /// Sums over this rank's samples of the period.
  private struct Period {
    var samples = 0
    /// Of all ranks.
    var allSamples = 0
    var loss = 0.0
    var right = 0.0
    var norm = 0.0
    var lossTerms: [Double]

    mutating func restart() {
      self = Period(lossTerms: lossTerms)
      for index in lossTerms.indices { lossTerms[index] = 0 }
    }

    mutating func add(_ result: StepResult, _ terms: [Double], samples count: Int) {
      samples += count
      loss += result.loss * Double(count)
      for (index, term) in terms.enumerated() { lossTerms[index] += term * Double(count) }
      right += (result.accuracy ?? 0) * Double(count)
      norm += result.gradientNorm * Double(count)
    }
  }
}
