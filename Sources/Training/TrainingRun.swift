import Collectives
import DataParallel
import Datasets
import Diagnostics
import Engine
import Kernels
import Metrics
import Optimizers
import Plan
import Storage

/// A run from its first (or resumed) step to its last: steps, evaluations, audits, saves.
package final class TrainingRun {
  let spec: RunSpec
  private let length: RunLength
  private let schedule: LearningRateSchedule
  let collectives: any Collectives
  let replica: Replica
  let steps: StepEngine<Float>
  private let evaluator: Evaluator<Float>
  private let evaluationEngine: ShardEngine<Float>
  private let data: LoadedData
  /// By length bucket, the shortest first.
  private let trainLoaders: [BatchLoader<Float>]
  /// nil: all samples are computed at their padded length.
  private let lengthBuckets: LengthBuckets?
  let journal: RunJournal?
  let keeper: CheckpointKeeper?
  private let auditor: Auditor
  private let faults: InjectedFaults
  /// nil: nothing stops the run early.
  let preemption: Preemption?
  private var order: any SampleOrder
  /// What this rank is doing at any moment.
  package let activity: RankActivity
  private let ledger: TimeLedger
  /// nil: the ranks take every step together.
  private let localSteps: LocalSteps?
  private var auditedStep: Int

  /// - Parameters:
  ///   - lengthBuckets: Needed to train where the plans have several.
  ///   - summation: Needed where the replica's state is shared; nil: made here.
  package init(
    _ spec: RunSpec, plans: ModelPlans, data: LoadedData, replica: Replica,
    collectives: any Collectives, journal: RunJournal?, keeper: CheckpointKeeper?,
    activity: RankActivity? = nil, faults: InjectedFaults = InjectedFaults(),
    preemption: Preemption? = nil, lengthBuckets: LengthBuckets? = nil,
    summation: GradientSummation<Float>? = nil
  ) throws {
    self.faults = faults
    auditor = Auditor(spec: spec.audit, collectives: collectives, journal: journal)
    self.activity = activity ?? RankActivity(step: replica.counters.step)
    self.spec = spec
    self.data = data
    self.replica = replica
    self.collectives = collectives
    self.journal = journal
    self.keeper = keeper
    ledger = TimeLedger(self.activity, over: collectives)
    self.preemption = preemption
    length = RunLength(spec, samples: data.train.count)
    schedule = length.learningRates(spec)
    let arena = AlignedMemory<Float>(count: plans.arenaCount)
    let usesClasses = spec.data.target == .classes
    let summation = try summation ?? GradientSummation(spec, plans, over: collectives)
    let batchSumCounts = plans.training.batchSumCounts
    let shards = ShardRange.shards(
      ofRank: collectives.rank, of: collectives.ranks, shards: spec.training.shards)
    func engine(_ plan: ExecutionPlan) -> ShardEngine<Float> {
      ShardEngine(
        plan, model: replica.model, usesClasses: usesClasses, seed: spec.seed, arena: arena)
    }
    let shorter = lengthBuckets == nil ? [] : plans.shorter
    steps = try StepEngine(
      engine: engine(plans.training), shorter: shorter.map(engine), model: replica.model,
      optimizer: replica.optimizer, average: replica.average,
      summation: summation,
      batchSums: batchSumCounts.isEmpty
        ? nil : BatchSums(counts: batchSumCounts, beside: summation, over: collectives),
      board: replica.board, shards: spec.training.shards, firstShard: shards.lowerBound,
      limits: GradientLimits(norm: spec.training.clipNorm, value: spec.training.clipValue),
      activity: self.activity)
    localSteps =
      spec.training.localSteps > 1
      ? try LocalSteps(spec, plans.training, replica: replica, steps: steps, over: collectives)
      : nil
    auditedStep = replica.counters.step
    evaluationEngine = engine(plans.evaluation)
    evaluationEngine.bind(parameters: replica.usedParameters, of: plans.training.leaf)
    evaluator = Evaluator(
      engine: evaluationEngine, loss: spec.loss, comparesWithData: spec.comparesWithData,
      collectives: collectives)
    let loader = data.trainLoader(of: Float.self)
    trainLoaders = shorter.map { loader.first(of: $0.graph, usesClasses: usesClasses) } + [loader]
    self.lengthBuckets = lengthBuckets
    order = spec.trainingOrder(
      samples: data.train.count, lengths: lengthBuckets,
      epoch: length.epoch(ofStep: replica.counters.step))
  }

  /// Trains to the last step and leaves the weights that are to be used in the replica.
  ///
  /// - Throws: Among others the orderly `AgreedFailure` of a run that was asked to stop.
  package func train() throws {
    try endIfAsked()
    try audit()
    ledger.open()
    if replica.counters.owesEpochEnd(length) { try endEpoch() }
    while replica.counters.step < length.lastStep, !replica.counters.hasStoppedEarly {
      let requests = try takeStep()
      try keeper?.poll(activity)
      try faults.flipBits(of: replica, after: replica.counters.step)
      if !length.agrees(after: replica.counters.step) { continue }
      if requests.wantStop { throw try end(by: requests) }
      if length.endsEpoch(after: replica.counters.step) { try endEpoch() }
      if auditor.isDue(after: replica.counters.step, last: auditedStep) { try audit() }
      if requests.contains(.checkpoint) {
        try save { try $0.saveDue(replica, rest: $1, activity: activity) }
      }
    }
    if auditedStep < replica.counters.step { try audit() }
    try save { try $0.saveLast(replica, rest: $1, activity: activity) }
    guard spec.training.earlyStopping != nil else { return }
    replica.restoreBest()
    // One rank of each host has written what its ranks use from now on.
    try collectives.barrier()
  }

  /// The time since the run began by rank, and the slowest rank where that is worth a line; all ranks
  /// call it.
  package func totalTimes() throws -> (times: RankTimes, slownessLine: String?) {
    let times = try ledger.closeTotal()
    return (times, slownessLine(times))
  }

  private func audit() throws {
    try auditor.audit(replica, activity: activity)
    auditedStep = replica.counters.step
  }

  // MARK: One step

  /// - Returns: What any rank asked for during the step.
  private func takeStep() throws -> StepRequests {
    let step = replica.counters.step
    let batch = StepBatch(
      count: length.positions(ofStep: step).count, step: step,
      learningRate: schedule.rate(atStep: step),
      lengthBucket: order.lengthBucket(ofBatch: step % length.stepsPerEpoch))
    activity.begin(step: step)
    // Nothing comes before the first windows of an epoch.
    if length.endsEpoch(after: step) { steps.engine.states?.reset() }
    let done =
      if let localSteps { try takeLocally(batch, localSteps) } else { try takeTogether(batch) }
    replica.counters.step += 1
    guard let (result, samples) = done else { return [] }
    let terms = localSteps?.lossTerms ?? steps.lossTerms
    replica.counters.add(
      loss: result.loss, terms: terms, accuracy: result.accuracy, samples: samples)
    try journal?.note(
      result, terms: terms, counters: replica.counters, learningRate: batch.learningRate)
    return result.requests
  }

  private func takeTogether(
    _ batch: StepBatch
  ) throws -> (result: StepResult, samples: Int)? {
    let before = steps.waiting
    let result: StepResult
    do {
      result = try steps.run(batch, requests: requests) { try load($0, of: batch) }
    } catch let fault as NotFinite {
      throw try divergence(fault, batch)
    }
    activity.endStep()
    let waiting = steps.waiting - before
    activity.move(waiting.late, from: .compute, to: .waiting)
    activity.move(waiting.communication, from: .compute, to: .communication)
    return (result, batch.count)
  }

  /// - Returns: nil until the ranks agree.
  private func takeLocally(
    _ batch: StepBatch, _ local: LocalSteps
  ) throws -> (result: StepResult, samples: Int)? {
    try local.take(batch) { try load($0, of: batch) }
    defer { activity.endStep() }
    guard length.agrees(after: batch.step + 1) else { return nil }
    let before = local.waiting
    activity.begin(.communication)
    let done = try local.average(requests: requests()) { try load($1, of: $0) }
    activity.move((local.waiting - before).late, from: .communication, to: .waiting)
    return done
  }

  /// What this rank asks for: to stop, and on rank 0 a checkpoint.
  private func requests() -> StepRequests {
    let needed = (keeper?.expectedDuration ?? .zero) + (localSteps?.periodDuration ?? .zero)
    var requests = preemption?.requests(saving: needed) ?? []
    if keeper?.isSaveDue == true { requests.insert(.checkpoint) }
    return requests
  }

  /// Loads positions of a step's batch.
  private func load(_ range: Range<Int>, of batch: StepBatch) throws {
    try faults.strike(.data, step: batch.step + 1)
    let start = length.positions(ofStep: batch.step).lowerBound
    try load(
      start + range.lowerBound..<start + range.upperBound, trainLoaders[batch.lengthBucket],
      order: order,
      epoch: length.epoch(ofStep: batch.step), into: steps.engine)
  }

  private func load(
    _ positions: Range<Int>, _ loader: BatchLoader<Float>, order: (any SampleOrder)?, epoch: Int?,
    into engine: ShardEngine<Float>
  ) throws {
    try loader.checkTokens(positions, order: order, epoch: epoch)
    loader.loadInputs(
      positions, order: order, epoch: epoch,
      into: engine.input.prefix(positions.count * loader.elementCount))
    if engine.usesClasses {
      loader.loadClasses(
        positions, order: order, epoch: epoch,
        into: engine.classes.prefix(positions.count * loader.targetCount))
    } else {
      loader.loadValues(
        positions, order: order,
        into: engine.targets.prefix(positions.count * loader.targetCount))
    }
  }

  /// All ranks search their part of the step for the layer that went bad first.
  private func divergence(_ fault: NotFinite, _ batch: StepBatch) throws -> AgreedFailure {
    let operations = steps.engine.plan.graph.operations
    let own = try steps.firstNotFinite(batch) { try load($0, of: batch) }
    let first =
      operations.count - (try collectives.allMaximum(operations.count - (own ?? operations.count)))
    let place = first < operations.count ? operations[first] : nil
    return AgreedFailure(
      message: "\(divergenceDiagnostic(fault, first: place))", exitCode: ExitCode.diverged)
  }

  // MARK: Between steps

  private func endEpoch() throws {
    let epoch = length.epoch(ofStep: replica.counters.step)
    let means = replica.counters.epochMeans
    var dev: Evaluation?
    var isBest = false
    if let part = data.dev, isEvaluationDue(epoch) {
      let result = try evaluate(part)
      isBest = replica.counters.note(result)
      if isBest, spec.training.earlyStopping != nil { replica.keepBest() }
      dev = result
    }
    let counts = spec.countsRightAnswers
    let times = try ledger.close()
    try journal?.note(
      EpochRecord(
        step: replica.counters.step, epoch: epoch,
        train: .init(
          loss: means.loss, terms: means.terms, metric: counts ? means.accuracy : nil),
        dev: dev.map { .init(loss: $0.loss, metric: $0.accuracy) },
        duration: times.splits[collectives.rank].total, isBest: isBest),
      times, slownessLine: slownessLine(times))
    replica.counters.beginEpoch()
    order = spec.trainingOrder(
      samples: data.train.count, lengths: lengthBuckets, epoch: epoch)
    if isBest { try save { try $0.saveBest(replica, rest: $1, activity: activity) } }
    try endIfAsked()
  }

  private func slownessLine(_ times: RankTimes) -> String? {
    let shards = (0..<collectives.ranks).map { rank in
      ShardRange.shards(ofRank: rank, of: collectives.ranks, shards: spec.training.shards).count
    }
    return times.slownessLine(hosts: collectives.hosts, shards: shards)
  }

  private func isEvaluationDue(_ epoch: Int) -> Bool {
    epoch % spec.evaluation.everyEpochs == 0 || epoch == length.epochs
  }

  /// Evaluates a part with the weights in use.
  ///
  /// - Throws: Among others the orderly `AgreedFailure` of a run that was asked to stop meanwhile; the
  ///   evaluation is then made again by the next start.
  package func evaluate(_ part: DataPart) throws -> Evaluation {
    let previous = activity.begin(.evaluation)
    defer { activity.begin(previous) }
    let loader = BatchLoader<Float>(part: part, statistics: data.statistics)
    let pause = preemption == nil ? nil : endIfAsked
    let order = spec.evaluationOrder(samples: part.count)
    var evaluation = try evaluator.evaluate(samples: part.count, order: order, pause: pause) {
      activity.goOn()
      try faults.strike(.evaluation, step: replica.counters.step)
      try load(
        $0, loader, order: order, epoch: nil, into: evaluationEngine)
    }
    if case .values(let targets, let predictions) = evaluation.predictions {
      evaluation.predictions = .values(
        targets: data.statistics.targetsInDataUnits(targets),
        predictions: data.statistics.targetsInDataUnits(predictions))
    }
    return evaluation
  }
}
