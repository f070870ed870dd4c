import ArgumentParser

@main
struct DDPBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ddp-bench",
    abstract: "Measures the parts of ddp-train on this machine.",
    subcommands: [KernelsCommand.self, SumsCommand.self])
}
