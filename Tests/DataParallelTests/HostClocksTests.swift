import DataParallel
import Foundation
import Metrics
import Testing

@Suite("Clocks of hosts")
struct HostClocksTests {
  @Test("hosts that share a clock are found to, and every rank has a line", arguments: [1, 2, 5])
  func oneClock(ranks: Int) throws {
    let results = try ThreadedRank.run(ranks: ranks) { rank in
      let clocks = HostClocks(over: rank)
      return [try clocks.measure(), try clocks.measure()]
    }
    #expect(results.dropFirst().allSatisfy { $0 == [[], []] })
    for points in results[0] {
      #expect(points.count == ranks)
      // Ranks 0 and 1 live on rank 0's host.
      #expect(points.prefix(2).allSatisfy { $0.lead == .zero && $0.uncertainty == .zero })
      for point in points.dropFirst(2) {
        #expect(point.uncertainty > .zero)
        #expect(max(point.lead, .zero - point.lead) <= point.uncertainty)
      }
    }
  }
}
