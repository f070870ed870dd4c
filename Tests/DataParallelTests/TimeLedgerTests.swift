import DataParallel
import Foundation
import Metrics
import Testing

@Suite("The ledger of time")
struct TimeLedgerTests {
  @Test("ranks that meet a slower one are charged with waiting for it, and nothing is lost")
  func slowRank() throws {
    let results = try ThreadedRank.run(ranks: 3) { rank in
      let outside = ContinuousClock.now
      let activity = RankActivity(in: .other)
      let ledger = TimeLedger(activity, over: rank)
      ledger.open()
      for step in 0..<4 {
        activity.begin(step: step)
        Thread.sleep(forTimeInterval: rank.rank == 1 ? 0.05 : 0.01)
        activity.begin(.communication)
        rank.barrier()
        activity.endStep()
      }
      let epoch = try ledger.close()
      let total = try ledger.closeTotal()
      return (epoch, total, ContinuousClock.now - outside)
    }
    let (epoch, total, _) = results[0]
    #expect(results.allSatisfy { $0.0 == epoch && $0.1 == total })
    #expect(epoch.slowest?.rank == 1 && epoch.slowest?.phase == .compute)
    // Asleep 40 ms longer in each of four steps; sleeping may take longer than asked for.
    for rank in [0, 2] {
      let difference = epoch.splits[1].busy - epoch.splits[rank].busy
      #expect(difference >= .milliseconds(100), "\(difference)")
      let waiting = epoch.splits[rank].waiting
      #expect(waiting <= difference && waiting >= difference * 0.9, "\(waiting) of \(difference)")
    }
    #expect(epoch.splits[1].waiting == .zero)
    for (rank, result) in results.enumerated() {
      let parts = total.splits[rank].total
      #expect(parts <= result.2 && parts >= result.2 * 0.98, "\(parts) of \(result.2)")
    }
  }
}
