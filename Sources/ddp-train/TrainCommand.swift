import ArgumentParser
import Metrics
import Training

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Trains the network of a config; starting the same command again resumes.",
    discussion: """
      Run it alone for one rank, or under mpirun for several: mpirun -n 8 ddp-train config.yaml
      Exit codes: 0 done, 1 failed, 2 bad input (config, data, launch or checkpoint), 3 the loss or the \
      gradient was not finite.
      """)

  @OptionGroup var config: ConfigArguments

  @Flag(help: "Start over: forget the checkpoints in the output folder.")
  var fresh = false

  @Flag(help: "Do everything but the steps, and write nothing.")
  var dryRun = false

  @Option(
    help:
      "How progress is shown: \(ProgressOption.allCases.map(\.rawValue).joined(separator: ", ")).")
  var progress = ProgressOption.auto

  @OptionGroup var traceArguments: TraceArguments

  @Option(help: ArgumentHelp("A fault to bring about: KIND:rank=1,step=20.", visibility: .hidden))
  var inject: [String] = []

  func run() throws {
    runOnAllRanks(config) { configuration, collectives, watched in
      let injected = try collectives.agree { try inject.map { try FaultInjection(parsing: $0) } }
      let faults = InjectedFaults(injected, rank: collectives.rank)
      try faults.strike(.start)
      try train(
        configuration, over: collectives, options: self, under: watched, faults: faults)
    }
  }
}

extension ProgressOption: ExpressibleByArgument {}

struct ConfigArguments: ParsableArguments {
  @Argument(help: "A YAML file, or the name of one in configs/.")
  var config: String

  @Argument(help: "Overrides such as training.max_steps=40 or model.layers.3.max_pool=3.")
  var overrides: [String] = []
}
