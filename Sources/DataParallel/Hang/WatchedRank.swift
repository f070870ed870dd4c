import Collectives
import Metrics

/// A rank under watch, as the thread that works sees it: it says here where it is.
package final class WatchedRank {
  private let watch: HangWatch
  private let board: ProgressBoard
  private let relay: HostRelay?
  private let group: any Collectives

  init(
    _ watch: HangWatch, _ board: ProgressBoard, _ relay: HostRelay?, over group: any Collectives
  ) {
    self.watch = watch
    self.board = board
    self.relay = relay
    self.group = group
    group.onPause = { [unowned group] in
      board.wait()
      // Somebody has said why the job ends.
      if board.isOver { group.abort(exitCode: HangWatch.exitCode) }
      relay?.pumpIfDue()
    }
  }

  /// Is to be told of everything this rank does.
  package var sink: any ProgressSink { relay ?? board }

  /// Says where the process stands as a whole.
  package func enter(_ stage: RankProgress.Stage) { board.enter(stage) }

  /// Begins to train by a plan.
  ///
  /// - Parameter instructions: What its instructions are called.
  package func enterTraining(_ instructions: [String]) {
    watch.setInstructions(instructions)
    board.enter(.training)
  }

  /// At the end of a run that went well: all ranks come here before they part.
  package func end() throws(CollectivesError) {
    board.enter(.end)
    try group.barrier()
    try relay?.close()
    group.onPause = nil
    // What the ranks share goes away now.
    watch.enterCall("MPI_Finalize")
  }
}
