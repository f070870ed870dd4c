import Checkpoints
import Collectives
import DataParallel
import Engine
import Graph
import Optimizers
import Testing
import Training

/// Whole runs whose ranks are threads: who holds the optimizer's state must not be seen in any number.
@Suite("The optimizer's state, once per host")
struct ShardedStateTests {
  static let adam = UpdateRule.adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8)

  /// 6,800 weights in the largest tensor (two blocks of norms), several buckets, batch norm, dropout.
  static func spec(_ rule: UpdateRule, _ state: StatePlacement) -> RunSpec {
    var spec = SmallRun.spec([
      .dense(DenseSpec(units: 80)), .batchNorm(BatchNormSpec()), .activation(.relu),
      .dropout(rate: 0.2), .dense(DenseSpec(units: 85)), .activation(.relu),
      .dense(DenseSpec(units: 2)),
    ])
    spec.optimizer = OptimizerSpec(rule: rule, learningRate: 0.01)
    spec.optimizer.weightDecay = 0.01
    spec.optimizer.state = state
    spec.training.epochs = 2
    spec.training.clipNorm = 0.5
    spec.training.emaDecay = 0.9
    spec.plan.bucketBytes = 4096
    spec.audit.everySteps = 3
    return spec
  }

  struct Outcome: Equatable, Sendable {
    var bits: [String: [UInt32]]
    var bestStep: Int?
    var loss: Double
  }

  /// Trains on `group` and evaluates; resumes from `folder` and saves into it where there is one.
  static func train(
    _ spec: RunSpec, over group: any Collectives, folder: CheckpointFolder? = nil
  ) throws -> (outcome: Outcome, replica: Replica) {
    let material = try RunMaterial(
      spec, over: group, inputPlace: "model.input", checkOutputs: { _ in },
      loadCheckpoint: { try folder?.newestValid().checkpoint })
    let summation = try GradientSummation(spec, material.plans, over: group)
    let replica = try Replica(spec, plans: material.plans, summing: summation, over: group)
    if let checkpoint = material.checkpoint {
      try group.agree {
        try replica.restore(
          checkpoint.record, model: checkpoint.model, state: checkpoint.state, place: "test")
      }
    }
    let length = RunLength(spec, samples: material.data.train.count)
    let codec = CheckpointCodec(
      spec, length: length, statistics: material.data.statistics, settings: [:],
      resolvedConfig: "")
    let keeper = group.isRoot ? folder : nil
    let run = try TrainingRun(
      spec, plans: material.plans, data: material.data, replica: replica, collectives: group,
      journal: nil,
      keeper: keeper.map {
        CheckpointKeeper(folder: $0, spec: spec, codec: codec, saved: nil, warn: { _ in })
      }, summation: summation)
    try run.train()
    guard let dev = material.data.dev else { preconditionFailure("no dev part") }
    let loss = try run.evaluate(dev).loss
    let outcome = Outcome(bits: replica.bits, bestStep: replica.counters.bestStep, loss: loss)
    // The others still read what this rank holds.
    try group.barrier()
    return (outcome, replica)
  }

  static func train(
    _ spec: RunSpec, ranks: Int, perHost: Int = 8, folder: CheckpointFolder? = nil
  ) throws -> [Outcome] {
    try ThreadedRank.run(ranks: ranks, perHost: perHost) { group in
      try train(spec, over: group, folder: folder).outcome
    }
  }

  @Test(
    "gives the bits that a single rank gives, on any number of ranks and hosts",
    arguments: [
      adam, .sgd, .momentum(beta: 0.9, nesterov: false), .lars(momentum: 0.9, trust: 0.01),
      .lamb(beta1: 0.9, beta2: 0.999, epsilon: 1e-6),
    ])
  func sameBits(rule: UpdateRule) throws {
    let alone = try Self.train(Self.spec(rule, .replicated), ranks: 1)[0]
    for (ranks, perHost) in [(1, 1), (2, 2), (3, 3), (4, 4), (4, 2), (3, 2), (4, 3), (2, 1)] {
      for state in [StatePlacement.sharded, .replicated] {
        let outcomes = try Self.train(Self.spec(rule, state), ranks: ranks, perHost: perHost)
        for (rank, outcome) in outcomes.enumerated() {
          #expect(outcome == alone, "\(state), rank \(rank) of \(ranks), \(perHost) per host")
        }
      }
    }
  }

  @Test("a run goes on from a checkpoint of any other placement and number of ranks")
  func resume() throws {
    let whole = try Self.train(Self.spec(Self.adam, .replicated), ranks: 1)[0]
    let temporary = TemporaryCheckpoints()
    let parts: [(Int, Int, Int, StatePlacement)] = [
      (4, 4, 2, .sharded), (9, 2, 2, .replicated), (13, 3, 2, .sharded), (17, 1, 1, .sharded),
    ]
    for (steps, ranks, perHost, state) in parts {
      var spec = Self.spec(Self.adam, state)
      spec.training.maxSteps = steps
      _ = try Self.train(spec, ranks: ranks, perHost: perHost, folder: temporary.folder)
    }
    let last = try Self.train(
      Self.spec(Self.adam, .sharded), ranks: 4, perHost: 2, folder: temporary.folder)
    #expect(last.allSatisfy { $0 == whole })
  }

  @Test("the best weights come back at the end, also where the average is held once")
  func earlyStopping() throws {
    func spec(_ state: StatePlacement) -> RunSpec {
      var spec = Self.spec(Self.adam, state)
      spec.training.epochs = 40
      spec.training.earlyStopping = EarlyStoppingSpec(patience: 1)
      return spec
    }
    let alone = try Self.train(spec(.replicated), ranks: 1)[0]
    for perHost in [4, 2] {
      let outcomes = try Self.train(spec(.sharded), ranks: 4, perHost: perHost)
      #expect(outcomes.allSatisfy { $0 == alone }, "\(perHost) per host")
    }
  }

  @Test("a rank holds its part of the state, and all of it where it is alone on its host")
  func bytes() throws {
    func bytes(_ state: StatePlacement, ranks: Int, perHost: Int) throws -> [Int] {
      try ThreadedRank.run(ranks: ranks, perHost: perHost) { group in
        var spec = Self.spec(Self.adam, state)
        spec.training.maxSteps = 1
        return try Self.train(spec, over: group).replica.stateByteCount
      }
    }
    let whole = try bytes(.replicated, ranks: 1, perHost: 1)[0]
    #expect(try bytes(.replicated, ranks: 4, perHost: 4) == [whole, whole, whole, whole])
    let quarter = (whole / 4 + 3) / 4 * 4
    #expect(try bytes(.sharded, ranks: 4, perHost: 4) == [quarter, quarter, quarter, quarter])
    #expect(try bytes(.sharded, ranks: 3, perHost: 2).last == whole)
    #expect(try bytes(.sharded, ranks: 2, perHost: 1) == [whole, whole])
  }

  @Test("a loss that is not finite ends a sharded run with the same sentence on every rank")
  func divergence() throws {
    var spec = Self.spec(.sgd, .sharded)
    spec.optimizer.learningRate = 1e30
    spec.optimizer.weightDecay = 0
    spec.training.clipNorm = nil
    spec.schedule = ScheduleSpec(.constant)
    let diverging = spec
    let texts = try ThreadedRank.run(ranks: 4, perHost: 2) { group in
      do {
        _ = try Self.train(diverging, over: group)
        return "no failure"
      } catch {
        group.barrier()
        return "\(error)"
      }
    }
    #expect(Set(texts).count == 1 && texts[0].contains("nothing was updated"), "\(texts)")
  }
}
