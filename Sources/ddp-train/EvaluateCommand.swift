import ArgumentParser
import Checkpoints
import Collectives
import Configuration
import DataParallel
import Datasets
import Diagnostics
import Metrics
import Placement
import Training

struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Reports how well a checkpoint's weights do on a part of the data.")

  @OptionGroup var config: ConfigArguments

  @Option(help: "The part: train, dev or test.")
  var part = PartOption.test

  @Option(help: "A checkpoint in the output folder, such as step-00000120; the newest without it.")
  var checkpoint: String?

  enum PartOption: String, ExpressibleByArgument, CaseIterable {
    case train, dev, test
  }

  func run() throws {
    runOnAllRanks(config) { configuration, collectives, watched in
      try evaluate(configuration, over: collectives, options: self, under: watched)
    }
  }
}

private func evaluate(
  _ configuration: RunConfiguration, over collectives: any Collectives, options: EvaluateCommand,
  under watched: WatchedRank
) throws {
  let spec = configuration.spec
  _ = try JobPlacement(spec.placement, over: collectives)
  let folder = RunFolder(spec.outputFolder)
  let material = try RunMaterial(
    spec, over: collectives, inputPlace: configuration.place(of: "model.input"),
    checkOutputs: configuration.checkCounts
  ) {
    if let name = options.checkpoint { return try folder.checkpoints.load(named: name) }
    return try folder.newestCheckpoint()
  }
  let summation = try GradientSummation(spec, material.plans, over: collectives)
  let replica = try Replica(
    spec, plans: material.plans, summing: summation, over: collectives)
  let (checkpoint, part) = try collectives.agree {
    guard let checkpoint = material.checkpoint else { throw noCheckpoint(folder) }
    try replica.restore(
      checkpoint.record, model: checkpoint.model, state: checkpoint.state,
      place: "\(folder.checkpoints.path)/\(checkpoint.name)")
    // What the run leaves as model.safetensors.
    if options.checkpoint == nil, spec.training.earlyStopping != nil { replica.restoreBest() }
    return (checkpoint, try dataPart(options.part, of: material.data))
  }
  watched.enterTraining([])
  let activity = RankActivity(step: replica.counters.step)
  activity.sink = watched.sink
  let run = try TrainingRun(
    spec, plans: material.plans, data: material.data, replica: replica, collectives: collectives,
    journal: nil, keeper: nil, activity: activity, summation: summation)
  let evaluation = try run.evaluate(part)
  guard collectives.isRoot else { return }
  let names = material.data.shape.target.reportNames
  let title =
    "\(options.part.rawValue) after step \(checkpoint.record.step): \(evaluation.title)"
  let report = evaluation.predictions?.reportLines(names: names) ?? []
  writeToStandardOutput(([title] + report).joined(separator: "\n") + "\n")
}

private func dataPart(_ option: EvaluateCommand.PartOption, of data: LoadedData) throws -> DataPart
{
  let part =
    switch option {
    case .train: Optional(data.train)
    case .dev: data.dev
    case .test: data.test
    }
  guard let part else {
    throw Diagnostic(
      place: "--part \(option.rawValue)", problem: "the config has no \(option.rawValue) data",
      expected: "a part that the data section names or cuts",
      remedy: "add data.\(option.rawValue), or choose another part")
  }
  return part
}

func noCheckpoint(_ folder: RunFolder) -> Diagnostic {
  Diagnostic(
    place: folder.checkpoints.path, problem: "there is no checkpoint",
    expected: "the checkpoints of a run with this config",
    remedy: "train it first, or set output.folder to the run's folder")
}
