import Checkpoints
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
  private let spec: RunSpec
  private let length: RunLength
  private let schedule: LearningRateSchedule
  private let collectives: any Collectives
  private let replica: Replica
  private let steps: StepEngine<Float>
  private let evaluator: Evaluator<Float>
  private let evaluationEngine: ShardEngine<Float>
  private let data: LoadedData
  private let trainLoader: BatchLoader<Float>
  private let journal: RunJournal?
  private let keeper: CheckpointKeeper?
  private let auditor: Auditor
  private let faults: InjectedFaults
  /// nil: nothing stops the run early.
  private let preemption: Preemption?
  private var order: EpochOrder
  /// What this rank is doing at any moment.
  package let activity: RankActivity
  private let ledger: TimeLedger

  /// - Parameter summation: Needed where the replica's state is shared; nil: made here.
  package init(
    _ spec: RunSpec, plans: ModelPlans, data: LoadedData, replica: Replica,
    collectives: any Collectives, journal: RunJournal?, keeper: CheckpointKeeper?,
    activity: RankActivity? = nil, faults: InjectedFaults = InjectedFaults(),
    preemption: Preemption? = nil, summation: GradientSummation<Float>? = nil
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
    steps = try StepEngine(
      engine: ShardEngine(
        plans.training, model: replica.model, usesClasses: usesClasses, seed: spec.seed,
        arena: arena),
      model: replica.model, optimizer: replica.optimizer, average: replica.average,
      summation: summation ?? GradientSummation(spec, plans, over: collectives),
      board: replica.board, shards: spec.training.shards,
      limits: GradientLimits(norm: spec.training.clipNorm, value: spec.training.clipValue),
      activity: self.activity)
    evaluationEngine = ShardEngine(
      plans.evaluation, model: replica.model, usesClasses: usesClasses, seed: spec.seed,
      arena: arena)
    evaluationEngine.bind(parameters: replica.usedParameters, of: plans.training.leaf)
    evaluator = Evaluator(engine: evaluationEngine, loss: spec.loss, collectives: collectives)
    trainLoader = BatchLoader(
      part: data.train, statistics: data.statistics, augmentation: data.augmentation)
    order = EpochOrder(
      count: data.train.count, seed: spec.seed, epoch: length.epoch(ofStep: replica.counters.step))
  }

  /// Trains to the last step and leaves the weights that are to be used in the replica.
  ///
  /// - Throws: Among others the orderly `AgreedFailure` of a run that was asked to stop.
  package func train() throws {
    try endIfAsked()
    try auditor.audit(replica, activity: activity)
    ledger.open()
    if replica.counters.owesEpochEnd(length) { try endEpoch() }
    while replica.counters.step < length.lastStep, !replica.counters.hasStoppedEarly {
      let requests = try takeStep()
      try keeper?.poll(activity)
      try faults.flipBits(of: replica, after: replica.counters.step)
      if requests.wantStop { throw try end(by: requests) }
      if length.endsEpoch(after: replica.counters.step) { try endEpoch() }
      if auditor.isDue(after: replica.counters.step) {
        try auditor.audit(replica, activity: activity)
      }
      if requests.contains(.checkpoint) {
        try save { try $0.saveDue(replica, rest: $1, activity: activity) }
      }
    }
    if !auditor.isDue(after: replica.counters.step) {
      try auditor.audit(replica, activity: activity)
    }
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

  // MARK: One step

  /// - Returns: What any rank asked for during the step.
  private func takeStep() throws -> StepRequests {
    let step = replica.counters.step
    let positions = length.positions(ofStep: step)
    let epoch = length.epoch(ofStep: step)
    let batch = StepBatch(
      count: positions.count, step: step, learningRate: schedule.rate(atStep: step))
    let load = { [self] (range: Range<Int>) throws in
      try faults.strike(.data, step: step + 1)
      let place = positions.lowerBound + range.lowerBound..<positions.lowerBound + range.upperBound
      self.load(place, trainLoader, order: order, epoch: epoch, into: steps.engine)
    }
    let before = steps.waiting
    activity.begin(step: step)
    let result: StepResult
    do {
      result = try steps.run(batch, requests: requests, load: load)
    } catch let fault as NotFinite {
      throw try divergence(fault, batch, load: load)
    }
    activity.endStep()
    let waiting = steps.waiting - before
    activity.move(waiting.late, from: .compute, to: .waiting)
    activity.move(waiting.communication, from: .compute, to: .communication)
    replica.counters.add(loss: result.loss, accuracy: result.accuracy, samples: positions.count)
    try journal?.note(
      result, counters: replica.counters, learningRate: batch.learningRate)
    return result.requests
  }

  /// What this rank asks for: to stop, and on rank 0 a checkpoint.
  private func requests() -> StepRequests {
    var requests = preemption?.requests(saving: keeper?.expectedDuration ?? .zero) ?? []
    if keeper?.isSaveDue == true { requests.insert(.checkpoint) }
    return requests
  }

  private func load(
    _ positions: Range<Int>, _ loader: BatchLoader<Float>, order: EpochOrder?, epoch: Int?,
    into engine: ShardEngine<Float>
  ) {
    loader.loadInputs(
      positions, order: order, epoch: epoch,
      into: engine.input.prefix(positions.count * loader.elementCount))
    if engine.usesClasses {
      loader.loadClasses(positions, order: order, into: engine.classes.prefix(positions.count))
    } else {
      let width = loader.part.dataset.shape.target.width
      loader.loadValues(
        positions, order: order, into: engine.targets.prefix(positions.count * width))
    }
  }

  /// All ranks search their part of the step for the layer that went bad first.
  private func divergence(
    _ fault: NotFinite, _ batch: StepBatch, load: (Range<Int>) throws -> Void
  ) throws -> AgreedFailure {
    let operations = steps.engine.plan.graph.operations
    let own = try steps.firstNotFinite(batch, load: load)
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
    let counts = spec.loss.countsRightAnswers
    let times = try ledger.close()
    try journal?.note(
      EpochRecord(
        step: replica.counters.step, epoch: epoch,
        train: .init(loss: means.loss, metric: counts ? means.accuracy : nil),
        dev: dev.map { .init(loss: $0.loss, metric: $0.accuracy) },
        duration: times.splits[collectives.rank].total, isBest: isBest),
      times, slownessLine: slownessLine(times))
    replica.counters.beginEpoch()
    order = EpochOrder(count: data.train.count, seed: spec.seed, epoch: epoch)
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
    return try evaluator.evaluate(samples: part.count, pause: pause) { range in
      activity.goOn()
      try faults.strike(.evaluation, step: replica.counters.step)
      load(range, loader, order: nil, epoch: nil, into: evaluationEngine)
    }
  }

  // MARK: Saving

  /// All ranks bring what belongs into a checkpoint; rank 0 saves it.
  private func save(_ save: (CheckpointKeeper, [NamedTensor]) throws -> Void) throws {
    let residuals = try activity.during(.checkpoint) {
      try ResidualTensors.gather(steps.summation.residuals, of: replica.model)
    }
    if let keeper { try save(keeper, residuals) }
  }

  /// Takes over what rounding between hosts had kept back; all ranks call it before `train`.
  ///
  /// - Returns: What the user should know of it.
  package func restoreResiduals(_ checkpoint: ReceivedCheckpoint?) throws -> String? {
    try ResidualTensors.restore(
      checkpoint?.residuals ?? [], into: steps.summation.residuals, of: replica.model)
  }

  // MARK: Stopping early

  /// All ranks end here if one of them asks for it.
  private func endIfAsked() throws {
    guard let preemption else { return }
    let requests = try preemption.requestsOfAll(saving: keeper?.expectedDuration ?? .zero)
    if requests.wantStop { throw try end(by: requests) }
  }

  /// Saves where the run stands.
  private func end(by requests: StepRequests) throws -> AgreedFailure {
    let step = replica.counters.step
    if step > 0 { try save { try $0.saveLast(replica, rest: $1, activity: activity) } }
    journal?.display.clear()
    return requests.end(
      at: step, isSaved: keeper?.isSaved(replica) ?? true, isFresh: preemption?.isFresh ?? false)
  }
}
