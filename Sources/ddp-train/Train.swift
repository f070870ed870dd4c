import Checkpoints
import Collectives
import Configuration
import DataParallel
import Datasets
import Diagnostics
import Foundation
import Kernels
import Metrics
import Placement
import Storage
import Training

/// Trains a config from its newest checkpoint (or the beginning) to its end.
func train(
  _ configuration: RunConfiguration, over collectives: any Collectives, options: TrainCommand,
  under watched: WatchedRank, faults: InjectedFaults
) throws {
  let spec = configuration.spec
  let placement = try JobPlacement(spec.placement, over: collectives)
  let folder = RunFolder(spec.outputFolder)
  let preemption = try collectives.agree {
    Preemption(
      over: collectives, deadline: try Deadline(spec.preemption), isFresh: options.fresh)
  }
  try collectives.agree { try checkStatistics(ranks: collectives.ranks, spec) }
  var material = try RunMaterial(
    spec, over: collectives, inputPlace: configuration.place(of: "model.input"),
    checkOutputs: configuration.checkCounts
  ) {
    if options.fresh { return nil }
    // A killed save may have set a whole checkpoint aside.
    if !options.dryRun {
      try folder.claim()
      try folder.checkpoints.removeTemporaries()
    }
    return try folder.newestCheckpoint(resuming: configuration)
  }
  let length = RunLength(spec, samples: material.data.train.count)
  try collectives.agree {
    try length.checkWarmup(
      of: spec.schedule, place: configuration.place(of: "schedule.warmup_steps"))
  }
  let summation = try GradientSummation(spec, material.plans, over: collectives)
  let replica = try Replica(
    spec, plans: material.plans, summing: summation, over: collectives)
  if let checkpoint = material.checkpoint {
    try collectives.agree {
      try replica.restore(
        checkpoint.record, model: checkpoint.model, state: checkpoint.state,
        place: "\(folder.checkpoints.path)/\(checkpoint.name)")
    }
    material.releaseTensors()
  } else if let weights = spec.initialWeights {
    try collectives.agree { try replica.start(from: weights) }
  }
  // A start that was asked to end has changed nothing, also with --fresh.
  try preemption.endStartIfAsked(step: options.fresh ? 0 : replica.counters.step)
  // Only now that config, data and checkpoint are found in order may anything be written or forgotten.
  try collectives.agree {
    guard collectives.isRoot, !options.dryRun else { return }
    try options.traceArguments.spec?.checkPath()
    try folder.prepare(fresh: options.fresh)
  }
  let lengthBuckets = material.lengthBuckets(spec)
  var facts = RunFacts(
    configuration, material, length, placement, collectives, replica: replica,
    resumedStep: material.checkpoint?.record.step)
  facts.lengths = lengthBuckets?.text(groupedDigits)
  facts.jobEnd = preemption.deadline?.text
  let console = console(options.progress, spec: spec, firstStep: replica.counters.step)
  if collectives.isRoot {
    let warnings = material.data.warnings + folder.warnings
    console.printLines(facts.lines + warnings.map { "warning: \($0)" } + [""])
  }
  if options.dryRun {
    if collectives.isRoot {
      console.printLines(["dry run: everything is ready; nothing was written"])
    }
    return
  }
  try run(
    configuration, material, lengthBuckets, replica, summation, facts, placement, console, folder,
    trace: options.traceArguments.spec, watched, faults, preemption, over: collectives)
}

/// The steps and what comes after them.
private func run(
  _ configuration: RunConfiguration, _ material: RunMaterial, _ lengthBuckets: LengthBuckets?,
  _ replica: Replica, _ summation: GradientSummation<Float>, _ facts: RunFacts,
  _ placement: JobPlacement,
  _ console: ProgressDisplay, _ folder: RunFolder,
  trace traceSpec: TraceSpec?, _ watched: WatchedRank, _ faults: InjectedFaults,
  _ preemption: Preemption, over collectives: any Collectives
) throws {
  let spec = configuration.spec
  let length = RunLength(spec, samples: material.data.train.count)
  let resumedStep = material.checkpoint?.record.step
  let journal = try collectives.agree { () -> RunJournal? in
    guard collectives.isRoot else { return nil }
    try writeFile(configuration.resolvedText, to: "\(folder.path)/config.resolved.yaml")
    let log = try MetricsLog(path: "\(folder.path)/metrics.jsonl", resumingAt: resumedStep)
    return RunJournal(
      display: console, log: log, label: spec.metricLabel, length: length,
      onFailure: spec.checkpoint.onFailure, firstStep: replica.counters.step)
  }
  let keeper =
    try collectives.isRoot
    ? CheckpointKeeper(
      folder: folder.checkpoints, spec: spec,
      codec: CheckpointCodec(
        spec, length: length, statistics: material.data.statistics,
        settings: configuration.settings(), resolvedConfig: configuration.resolvedText),
      saved: resumedStep == nil ? nil : replica.counters,
      beginSave: { placement.freeThisThread() },
      warn: { console.printLines(["warning: \($0)"]) })
    : nil
  let trace = try traceSpec.map {
    try RunTrace($0, of: spec, plans: material.plans, over: collectives)
  }
  let plan = material.plans.training
  watched.enterTraining(plan.instructionNames)
  let activity = RankActivity(step: replica.counters.step, trace: trace?.buffer)
  activity.sink = faults.sink(before: watched.sink, instructions: plan.shard.count)
  let run = try TrainingRun(
    spec, plans: material.plans, data: material.data, replica: replica, collectives: collectives,
    journal: journal, keeper: keeper, activity: activity, faults: faults, preemption: preemption,
    lengthBuckets: lengthBuckets, summation: summation)
  let restored = try run.restoreResiduals(material.checkpoint)
  if let restored, collectives.isRoot { console.printLines([restored]) }
  try run.restoreStates(
    material.checkpoint, place: "\(folder.checkpoints.path)/\(material.checkpoint?.name ?? "")")
  try run.train()
  try finish(run, material, replica, facts, journal, folder, spec, over: collectives)
  if let lines = try trace?.write(activity) { journal?.display.printLines(lines) }
}

/// Evaluates the final weights and leaves the results in the run folder.
private func finish(
  _ run: TrainingRun, _ material: RunMaterial, _ replica: Replica, _ facts: RunFacts,
  _ journal: RunJournal?, _ folder: RunFolder, _ spec: RunSpec, over collectives: any Collectives
) throws {
  let part = material.data.test.map { ("test", $0) } ?? material.data.dev.map { ("dev", $0) }
  let evaluation = try part.map { try run.evaluate($0.1) }
  let (times, slownessLine) = try run.totalTimes()
  try collectives.agree {
    guard let journal else { return }
    let results = RunResults(folder: folder.path, replica: replica)
    let digest = try results.writeModel()
    let names = material.data.shape.target.reportNames
    if let predictions = evaluation?.predictions { try results.write(predictions, names: names) }
    let summary = RunSummary(
      facts: facts, label: spec.metricLabel, epochs: journal.log.epochs,
      heals: journal.log.heals,
      reportTitle: reportTitle(part?.0, evaluation),
      report: evaluation?.predictions?.reportLines(names: names) ?? [], times: times,
      slownessLine: slownessLine, weightsDigest: digest)
    try results.write(summary)
    journal.display.printLines(summary.closingLines)
  }
}

private func reportTitle(_ part: String?, _ evaluation: Evaluation?) -> String {
  guard let part, let evaluation else { return "" }
  return "\(part): \(evaluation.title)"
}
