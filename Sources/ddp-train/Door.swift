import Collectives
import Configuration
import MPICollectives

/// Joins the ranks, runs `body` on each of them and ends the process; all fail together.
func runOnAllRanks(_ body: (any Collectives) throws -> Void) -> Never {
  let collectives: any Collectives
  do {
    collectives = try joinRanks()
  } catch {
    SoloCollectives().failTogether(error)
  }
  runTogether(collectives) { try body(collectives) }
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
