import Collectives
import Configuration
import DataParallel
import MPICollectives
import Training

/// Joins the ranks, runs `body` on each of them and ends the process; all fail together, and a hang ends
/// with a sentence.
///
/// - Parameter config: Each rank reads it before the ranks meet, and learns how long it may wait for them;
///   what is wrong with it is said together.
func runOnAllRanks(
  _ config: ConfigArguments,
  _ body: (RunConfiguration, any Collectives, WatchedRank) throws -> Void
) -> Never {
  let configuration = Result { try config.load() }
  let seconds = ((try? configuration.get())?.spec.failure ?? FailureSpec()).hangTimeoutSeconds
  let watch = HangWatch(timeout: .seconds(seconds), launchRank: launchRank ?? 0)
  let collectives: any Collectives
  do {
    watch.enterCall("MPI_Init")
    collectives = try joinRanks()
  } catch {
    SoloCollectives().failTogether(error)
  }
  runTogether(collectives) {
    let configuration = try collectives.agree { try configuration.get() }
    let rank = try watch.join(collectives)
    do {
      try body(configuration, collectives, rank)
    } catch let end as AgreedFailure where end.isOrderly {
      try rank.end()
      throw end
    }
    try rank.end()
  }
}

/// Runs a command that needs no other ranks and ends the process.
func runAlone(_ body: () throws -> Void) -> Never {
  runTogether(SoloCollectives(), body)
}

extension ConfigArguments {
  func load() throws -> RunConfiguration {
    try RunConfiguration.load(config, overrides: overrides)
  }
}
