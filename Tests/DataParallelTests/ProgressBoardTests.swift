import DataParallel
import Foundation
import Metrics
import Storage
import Testing

@Suite("Progress board")
struct ProgressBoardTests {
  @Test(
    "what a rank writes, all ranks of its host read",
    arguments: [(0, Phase.compute, -1), (1 << 30, .evaluation, 0), (7, .data, 1_000_000)])
  func shared(step: Int, phase: Phase, instruction: Int) throws {
    let seen = try ThreadedRank.run(ranks: 2) { group in
      let board = try ProgressBoard(over: group)
      board.enter(.training)
      board.note(step: step + group.rank, phase: phase, instruction: instruction)
      board.wait()
      group.barrier()
      defer { group.barrier() }
      return board.read()
    }
    for ranks in seen {
      for (rank, progress) in ranks.enumerated() {
        let progress = try #require(progress)
        #expect(progress.pid == getpid())
        #expect(progress.stage == .training)
        #expect(
          (progress.step, progress.phase, progress.instruction)
            == (step + rank, phase, instruction))
        #expect((progress.beats, progress.waits) == (3, 1))
      }
    }
  }

  @Test("first ranks tell other hosts what theirs do, and part without a message on its way")
  func hosts() throws {
    // Two hosts of two ranks and one of one.
    let seen = try ThreadedRank.run(ranks: 5) { group -> [Int?] in
      let watch = HangWatch(timeout: .seconds(10))
      let rank = try watch.join(group)
      rank.enterTraining([])
      let clock = ContinuousClock.now
      while ContinuousClock.now - clock < .seconds(3) {
        rank.sink.note(step: 10 + group.rank, phase: .compute, instruction: 0)
        Thread.sleep(forTimeInterval: 0.01)
      }
      let steps = watch.newest.map { $0?.step }
      try rank.end()
      watch.end()
      return steps
    }
    for steps in seen { #expect(steps == [10, 11, 12, 13, 14]) }
  }
}
