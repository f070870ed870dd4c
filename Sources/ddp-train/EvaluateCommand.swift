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
  let model = try TrainedModel(configuration, checkpoint: options.checkpoint, over: collectives)
  let (material, replica) = (model.material, model.replica)
  let part = try collectives.agree { try dataPart(options.part, of: material.data) }
  watched.enterTraining([])
  let activity = RankActivity(step: replica.counters.step)
  activity.sink = watched.sink
  let run = try TrainingRun(
    spec, plans: material.plans, data: material.data, replica: replica, collectives: collectives,
    journal: nil, keeper: nil, activity: activity, summation: model.summation)
  let evaluation = try run.evaluate(part)
  guard collectives.isRoot else { return }
  let names = material.data.shape.target.reportNames
  let title =
    "\(options.part.rawValue) after step \(model.checkpoint.record.step): \(evaluation.title)"
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
