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
  /// nil: nothing stops the run early.
  private let preemption: Preemption?
  private var order: EpochOrder
  private var clock: PhaseClock
  private var epochStart = ContinuousClock.now

  package init(
    _ spec: RunSpec, plans: ModelPlans, data: LoadedData, replica: Replica,
    collectives: any Collectives, journal: RunJournal?, keeper: CheckpointKeeper?,
    preemption: Preemption? = nil
  ) throws {
    self.spec = spec
    self.data = data
    self.replica = replica
    self.collectives = collectives
    self.journal = journal
    self.keeper = keeper
    self.preemption = preemption
    length = RunLength(spec, samples: data.train.count)
    schedule = LearningRateSchedule(
      spec: spec.schedule, base: spec.optimizer.learningRate, stepsPerEpoch: length.stepsPerEpoch,
      totalSteps: length.totalSteps)
    let arena = AlignedMemory<Float>(count: plans.arenaCount)
    let usesClasses = spec.data.target == .classes
    steps = try StepEngine(
      engine: ShardEngine(
        plans.training, model: replica.model, usesClasses: usesClasses, seed: spec.seed,
        arena: arena),
      model: replica.model, optimizer: replica.optimizer,
      summation: GradientSummation(
        length: plans.training.leaf.count, buckets: plans.training.buckets,
        shards: spec.training.shards, over: collectives),
      shards: spec.training.shards,
      limits: GradientLimits(norm: spec.training.clipNorm, value: spec.training.clipValue))
    evaluationEngine = ShardEngine(
      plans.evaluation, model: replica.model, usesClasses: usesClasses, seed: spec.seed,
      arena: arena)
    evaluationEngine.bind(parameters: replica.usedParameters, of: plans.training.leaf)
    evaluator = Evaluator(engine: evaluationEngine, loss: spec.loss, collectives: collectives)
    trainLoader = BatchLoader(
      part: data.train, statistics: data.statistics, augmentation: data.augmentation)
    order = EpochOrder(
      count: data.train.count, seed: spec.seed, epoch: length.epoch(ofStep: replica.counters.step))
    clock = PhaseClock(in: .other)
  }

  /// Trains to the last step and leaves the weights that are to be used in the replica.
  ///
  /// - Throws: Among others the orderly `AgreedFailure` of a run that was asked to stop.
  package func train() throws {
    try endIfAsked()
    try audit()
    epochStart = .now
    if replica.counters.owesEpochEnd(length) { try endEpoch() }
    while replica.counters.step < length.lastStep, !replica.counters.hasStoppedEarly {
      let requests = try takeStep()
      if requests.wantStop { throw try end(by: requests) }
      if length.endsEpoch(after: replica.counters.step) { try endEpoch() }
      if isAuditDue { try audit() }
      if requests.contains(.checkpoint) { try keeper?.saveDue(replica, clock: &clock) }
    }
    try keeper?.saveLast(replica, clock: &clock)
    if spec.training.earlyStopping != nil { replica.restoreBest() }
  }

  /// The time since the run began, by phase.
  package func timeSplit() -> TimeSplit { clock.read() }

  // MARK: One step

  /// - Returns: What any rank asked for during the step.
  private func takeStep() throws -> StepRequests {
    let step = replica.counters.step
    let positions = length.positions(ofStep: step)
    let epoch = length.epoch(ofStep: step)
    let batch = StepBatch(
      count: positions.count, step: step, learningRate: schedule.rate(atStep: step))
    let load = { [self] (range: Range<Int>) in
      let place = positions.lowerBound + range.lowerBound..<positions.lowerBound + range.upperBound
      self.load(place, trainLoader, order: order, epoch: epoch, into: steps.engine)
    }
    let before = (loading: steps.loadingTime, waiting: steps.summation.waiting)
    clock.enter(.compute)
    let result: StepResult
    do {
      result = try steps.run(batch, requests: requests, load: load)
    } catch let fault as NotFinite {
      throw try divergence(fault, batch, load: load)
    }
    clock.enter(.other)
    clock.move(steps.loadingTime - before.loading, from: .compute, to: .data)
    clock.move((steps.summation.waiting - before.waiting).total, from: .compute, to: .sums)
    replica.average?.update(
      0..<replica.model.parameters.count, weights: replica.model.parameters, step: step + 1)
    replica.counters.add(loss: result.loss, accuracy: result.accuracy, samples: positions.count)
    try journal?.note(
      result, counters: replica.counters, learningRate: batch.learningRate)
    return result.requests
  }

  /// What this rank asks for: to stop, and on rank 0 a checkpoint.
  private func requests() -> StepRequests {
    var requests = preemption?.requests(saving: keeper?.longestSave ?? .zero) ?? []
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
    _ fault: NotFinite, _ batch: StepBatch, load: (Range<Int>) -> Void
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
    try journal?.note(
      EpochRecord(
        step: replica.counters.step, epoch: epoch,
        train: .init(loss: means.loss, metric: counts ? means.accuracy : nil),
        dev: dev.map { .init(loss: $0.loss, metric: $0.accuracy) },
        duration: .now - epochStart, isBest: isBest))
    epochStart = .now
    replica.counters.beginEpoch()
    order = EpochOrder(count: data.train.count, seed: spec.seed, epoch: epoch)
    if isBest { try keeper?.saveBest(replica, clock: &clock) }
    try endIfAsked()
  }

  private func isEvaluationDue(_ epoch: Int) -> Bool {
    epoch % spec.evaluation.everyEpochs == 0 || epoch == length.epochs
  }

  /// Evaluates a part with the weights in use.
  ///
  /// - Throws: Among others the orderly `AgreedFailure` of a run that was asked to stop meanwhile; the
  ///   evaluation is then made again by the next start.
  package func evaluate(_ part: DataPart) throws -> Evaluation {
    let previous = clock.enter(.evaluation)
    defer { clock.enter(previous) }
    let loader = BatchLoader<Float>(part: part, statistics: data.statistics)
    let pause = preemption == nil ? nil : endIfAsked
    return try evaluator.evaluate(samples: part.count, pause: pause) { range in
      load(range, loader, order: nil, epoch: nil, into: evaluationEngine)
    }
  }

  private var isAuditDue: Bool {
    spec.audit.everySteps > 0 && replica.counters.step % spec.audit.everySteps == 0
  }

  /// All ranks compare their replicas.
  private func audit() throws {
    guard spec.audit.everySteps > 0 else { return }
    try ReplicaAudit.check(
      replica.tensorHashes(), step: replica.counters.step, over: collectives)
  }

  // MARK: Stopping early

  /// All ranks end here if one of them asks for it.
  private func endIfAsked() throws {
    guard let preemption else { return }
    let requests = try preemption.requestsOfAll(saving: keeper?.longestSave ?? .zero)
    if requests.wantStop { throw try end(by: requests) }
  }

  /// Saves where the run stands.
  private func end(by requests: StepRequests) throws -> AgreedFailure {
    let step = replica.counters.step
    if step > 0 { try keeper?.saveLast(replica, clock: &clock) }
    journal?.display.clear()
    return requests.end(
      at: step, isSaved: keeper?.isSaved(replica) ?? true, isFresh: preemption?.isFresh ?? false)
  }
}
