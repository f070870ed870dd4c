import DataParallel
import Testing

@Suite("Slices between hosts")
struct SliceScheduleTests {
  static func schedules(hosts: Int, elements: Int, isRounded: Bool = false) -> [SliceSchedule] {
    let layout = HostLayout(hosts: (0..<hosts).map { $0..<$0 + 1 }, shards: hosts)
    return (0..<hosts).map {
      SliceSchedule(layout, host: $0, slice: 0, elements: 0..<elements, isRounded: isRounded)
    }
  }

  @Test("a power of two of hosts halves and doubles", arguments: [2, 4, 8, 64])
  func halving(hosts: Int) {
    let count = 1 << 16
    let stages = hosts.trailingZeroBitCount
    for schedule in Self.schedules(hosts: hosts, elements: count, isRounded: true) {
      #expect(schedule.kept.map(\.piece.count) == [count / hosts])
      #expect(schedule.receives.map(\.piece.count) == (1...stages).map { count >> $0 })
      #expect(
        schedule.publishReceives.map(\.piece.count) == (1...stages).reversed().map { count >> $0 })
      #expect(schedule.requestCount == 4 * stages)
    }
  }

  @Test("both hosts form the sums at the root, unless they are rounded", arguments: [2, 4, 8, 64])
  func root(hosts: Int) {
    let count = 1 << 16
    let stages = hosts.trailingZeroBitCount
    let halves = (1..<stages).map { count >> $0 }
    for schedule in Self.schedules(hosts: hosts, elements: count) {
      #expect(schedule.kept.map(\.piece.count) == [count * 2 / hosts])
      #expect(schedule.receives.map(\.piece.count) == halves + [count * 2 / hosts])
      #expect(schedule.publishReceives.map(\.piece.count) == halves.reversed())
      #expect(schedule.requestCount == 4 * stages - 2)
    }
  }

  @Test(
    "hosts of any number keep pieces that cover the slice once, twice at the root",
    arguments: 1...13, [false, true])
  func cover(hosts: Int, isRounded: Bool) {
    let schedules = Self.schedules(hosts: hosts, elements: 100_000, isRounded: isRounded)
    let copies = isRounded || hosts == 1 ? 1 : 2
    let kept = schedules.flatMap(\.kept).map(\.piece)
    #expect(kept.flatMap { Array($0) }.sorted() == (0..<100_000 * copies).map { $0 / copies })
    let most = schedules.map { $0.kept.reduce(0) { $0 + $1.piece.count } }.max()
    if isRounded { #expect(most ?? 0 <= 100_000 / hosts + 100 * hosts) }
  }

  @Test("two hosts halve a long slice")
  func long() {
    for schedule in Self.schedules(hosts: 2, elements: 1 << 18) {
      #expect(schedule.kept.map(\.piece.count) == [1 << 17] && schedule.requestCount == 4)
    }
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
