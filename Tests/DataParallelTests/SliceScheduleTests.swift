import DataParallel
import Testing

@Suite("Slices between hosts")
struct SliceScheduleTests {
  static func schedules(hosts: Int, elements: Int) -> [SliceSchedule] {
    let layout = HostLayout(hosts: (0..<hosts).map { $0..<$0 + 1 }, shards: hosts)
    return (0..<hosts).map {
      SliceSchedule(layout, host: $0, slice: 0, elements: 0..<elements)
    }
  }

  @Test("a power of two of hosts halves and doubles", arguments: [2, 4, 8, 64])
  func halving(hosts: Int) {
    let count = 1 << 16
    let stages = hosts.trailingZeroBitCount
    for schedule in Self.schedules(hosts: hosts, elements: count) {
      #expect(schedule.kept.map(\.piece.count) == [count / hosts])
      #expect(schedule.receives.map(\.piece.count) == (1...stages).map { count >> $0 })
      #expect(
        schedule.publishReceives.map(\.piece.count) == (1...stages).reversed().map { count >> $0 })
      #expect(schedule.requestCount == 4 * stages)
    }
  }

  @Test("hosts of any number keep pieces that cover the slice once", arguments: 1...13)
  func cover(hosts: Int) {
    let kept = Self.schedules(hosts: hosts, elements: 100_000).flatMap(\.kept).map(\.piece)
    let sorted = kept.sorted { $0.lowerBound < $1.lowerBound }
    #expect(sorted.flatMap { Array($0) } == Array(0..<100_000))
    let most = Self.schedules(hosts: hosts, elements: 100_000).map { schedule in
      schedule.kept.reduce(0) { $0 + $1.piece.count }
    }.max()
    #expect(most ?? 0 <= 100_000 / hosts + 100 * hosts)
  }

  @Test("a small slice is one message each way between two hosts")
  func small() {
    let schedules = Self.schedules(hosts: 2, elements: 64)
    #expect(schedules.map(\.requestCount) == [2, 2])
  }

  @Test("one host sends nothing")
  func alone() {
    let schedule = Self.schedules(hosts: 1, elements: 1_000)[0]
    #expect(schedule.steps.isEmpty && schedule.publishSteps.isEmpty && schedule.requestCount == 0)
  }
}
