import CAllocationCount
import Collectives
import Engine
import Graph
import Kernels
import Storage
import Testing

/// Batch norm whose statistics are those of the whole batch, which lies on several ranks.
@Suite("Batch norm over all ranks", .serialized)
struct WholeBatchNormTests {
  private static func step<S: Scalar>(
    _ scalar: S.Type, batch: Int, _ statistics: BatchNormStatistics = .batch, fusion: Bool = true,
    over group: any Collectives
  ) throws -> RankStep<S> {
    try RankStep<S>(
      RankStep<S>.layers, input: RankStep<S>.images, statistics: statistics, batch: batch,
      fusion: fusion, over: group)
  }

  /// Weights and running statistics after steps of these sizes, and the losses.
  private static func train<S: Scalar>(
    _ scalar: S.Type, _ counts: [Int], _ statistics: BatchNormStatistics = .batch,
    fusion: Bool = true, over group: any Collectives
  ) throws -> [Double] {
    let step = try step(
      scalar, batch: counts.max() ?? 0, statistics, fusion: fusion, over: group)
    let losses = try counts.enumerated().map { try step.take($0, of: $1).loss }
    return losses + step.numbers
  }

  @Test(
    "any number of ranks trains as one rank does with plain batch norm, also in small last batches",
    arguments: [2, 3, 4], [1, 2, 4])
  func sameAsOneRank(ranks: Int, perHost: Int) throws {
    // In the last but one, some ranks have no sample, in the last all but one.
    let counts = [12, 11, 12, ranks + 1, 2, 12, 1]
    let alone = try Self.train(Double.self, counts, .shard, over: SoloCollectives())
    let together = try ThreadedRank.run(ranks: ranks, perHost: perHost) { group in
      try Self.train(Double.self, counts, over: group)
    }
    for rank in together { #expect(rank == together[0]) }
    let worst = zip(alone, together[0]).map { abs($0 - $1) / (1 + abs($0)) }.max() ?? 1
    // A few hundred terms in another order; one sample alone divides rounding by sqrt(epsilon).
    #expect(worst < 1e-11, "\(worst)")
  }

  @Test(
    "ranks get the same bits in Float, in every repetition and however they are spread over hosts")
  func repeatable() throws {
    let runs = try [1, 2, 3, 3].map { perHost in
      try ThreadedRank.run(ranks: 3, perHost: perHost) { group in
        try Self.train(Float.self, [12, 12, 2, 12], over: group)
      }
    }
    for run in runs { #expect(run == [runs[0][0], runs[0][0], runs[0][0]]) }
  }

  @Test("one rank has the bits of plain batch norm", arguments: [false, true])
  func oneRank(fusion: Bool) throws {
    let group = SoloCollectives()
    let counts = [12, 5, 1, 12]
    let whole = try Self.train(Float.self, counts, fusion: fusion, over: group)
    let plain = try Self.train(Float.self, counts, .shard, fusion: fusion, over: group)
    #expect(whole == plain)
  }

  @Test("micro-shards by themselves give other numbers: the test can tell")
  func shardsDiffer() throws {
    let alone = try Self.train(Double.self, [12], .shard, over: SoloCollectives())
    let together = try ThreadedRank.run(ranks: 2) { group in
      try Self.train(Double.self, [12], .shard, over: group)
    }
    #expect(abs(alone[0] - together[0][0]) > 1e-3)
  }

  @Test(
    "gradients agree with central differences over all ranks", arguments: [2, 3], [false, true])
  func gradients(ranks: Int, fusion: Bool) throws {
    let errors = try ThreadedRank.run(ranks: ranks, perHost: ranks) { group in
      // Seven samples: the ranks' shares differ.
      let step = try Self.step(Double.self, batch: 7, fusion: fusion, over: group)
      try step.take(0, of: 7, learningRate: 0)
      let sum = step.steps.summation.sum
      let gradients = step.model.parameterList.indices.map {
        sum[step.plan.leaf.gradient(of: $0)].array
      }
      // Before the next step writes where others still read.
      group.barrier()
      return try gradients.indices.map { index in
        let variables = step.model.parameter(index)
        return try Self.relativeError(gradients[index], of: variables) {
          try step.take(0, of: 7, learningRate: 0).loss
        }
      }
    }
    for rank in errors {
      #expect(rank.count == 10)
      for (index, error) in rank.enumerated() { #expect(error < 1e-7, "\(index): \(error)") }
    }
  }

  /// `||approx - grad|| / (||approx|| + ||grad||)` with central differences of `loss`.
  private static func relativeError(
    _ gradient: [Double], of variables: Block<Double>, _ loss: () throws -> Double
  ) rethrows -> Double {
    let step = 1e-5
    var (difference, approximateSize, size) = (0.0, 0.0, 0.0)
    for index in gradient.indices {
      let value = variables[index]
      variables[index] = value + step
      let above = try loss()
      variables[index] = value - step
      let approximate = (above - (try loss())) / (2 * step)
      variables[index] = value
      difference += (approximate - gradient[index]) * (approximate - gradient[index])
      approximateSize += approximate * approximate
      size += gradient[index] * gradient[index]
    }
    return difference.squareRoot() / (approximateSize.squareRoot() + size.squareRoot())
  }

  @Test("a step allocates nothing after the first, with and without samples")
  func allocations() throws {
    let counts = try ThreadedRank.run(ranks: 3, perHost: 3) { group in
      let step = try Self.step(Float.self, batch: 12, over: group)
      let load = { (positions: Range<Int>) in step.load(positions) }
      _ = try step.steps.run(step.batch(0, of: 12), load: load)
      let before = allocation_count_of_thread()
      for number in 1...20 {
        _ = try step.steps.run(step.batch(number, of: number % 5 == 0 ? 2 : 12), load: load)
      }
      let count = Int(allocation_count_of_thread() - before)
      return count
    }
    #expect(counts == [0, 0, 0])
  }

  @Test("numbers of one rank that are not finite are traced to their layer on all ranks together")
  func notFinite() throws {
    let firsts = try ThreadedRank.run(ranks: 3, perHost: 2) { group in
      let step = try Self.step(Float.self, batch: 9, over: group)
      // Of two samples, rank 0 has none.
      var found: [String] = []
      for count in [9, 2] {
        let load = { (positions: Range<Int>) in
          step.load(positions)
          if positions.contains(1) { step.steps.engine.input[3] = .infinity }
        }
        let batch = step.batch(0, of: count)
        do {
          _ = try step.steps.run(batch, load: load)
          found.append("finite")
        } catch is NotFinite {
          let operations = step.plan.graph.operations
          let own = try step.steps.firstNotFinite(batch, load: load) ?? operations.count
          // As the run finds the first of all ranks.
          let first = operations.count - group.allMaximum(operations.count - own)
          found.append("\(operations[first].kind.name) \(operations[first].layer)")
        }
      }
      return found
    }
    for names in firsts { #expect(names == ["batch_moments layers.0", "batch_moments layers.0"]) }
  }
}
