import ArgumentParser
import Collectives
import Foundation
import Kernels
import Storage
import Training

@main
struct DDPTrain: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ddp-train",
    abstract:
      "Trains neural networks on CPUs with many processes, with the same bits on any number of them.",
    discussion: """
      One rank per process: mpirun -n 8 ddp-train config.yaml [section.key=value ...]
      Exit codes: 0 done, 1 failed, 2 bad input, 3 the loss or the gradient was not finite, \
      75 stopped by a signal or the job's end: the same command goes on.
      """,
    subcommands: [
      TrainCommand.self, EvaluateCommand.self, GenerateCommand.self, SummaryCommand.self,
      PlanCommand.self, ProbeCommand.self, VerifyCommand.self, ImportCommand.self,
      ExportCommand.self, VersionCommand.self,
    ],
    defaultSubcommand: TrainCommand.self)

  /// Every rank reads the same words, so one of them complains about all.
  static func main() {
    ignoreBrokenPipes()
    flushSubnormals()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      let isHelp = exitCode(for: error).isSuccess
      if isFirstRank {
        let text = fullMessage(for: error)
        if isHelp { print(text) } else { printError(text) }
      } else if !isHelp {
        // The first rank's end takes the others with it; theirs could take it before it has spoken.
        Thread.sleep(forTimeInterval: 3)
      }
      Foundation.exit(isHelp ? 0 : ExitCode.badInput)
    }
  }
}

/// Whether this process speaks for all, as far as can be told before the ranks have met.
private var isFirstRank: Bool { launchRank ?? 0 == 0 }

/// The number that the launcher gave this process.
var launchRank: Int? {
  let names = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"]
  return names.compactMap { ProcessInfo.processInfo.environment[$0].flatMap(Int.init) }.first
}
