import ArgumentParser

@main
struct DDPBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ddp-bench",
    abstract: "Measures the parts of ddp-train on this machine, beside what limits them.",
    subcommands: [
      KernelsCommand.self, PlanCommand.self, StepsCommand.self, SumsCommand.self,
      CheckpointCommand.self, StartCommand.self, InstructionsCommand.self,
    ])
}
