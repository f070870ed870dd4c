import ArgumentParser

@main
struct DDPTrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ddp-train",
    abstract: "Trains neural networks on CPUs with many processes, with the same bits on any number of them.",
    discussion: """
      One rank per process: mpirun -n 8 ddp-train config.yaml [section.key=value ...]
      Exit codes: 0 done, 1 failed, 2 bad input, 3 the loss or the gradient was not finite.
      """,
    subcommands: [
      TrainCommand.self, EvaluateCommand.self, SummaryCommand.self, ProbeCommand.self,
      VersionCommand.self,
    ],
    defaultSubcommand: TrainCommand.self)
}
