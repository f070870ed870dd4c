import Metrics
import Testing

@Suite("Time split")
struct TimeTests {
  @Test("every moment between two entries belongs to the phase entered first")
  func phasesAddUp() {
    let start = MonotonicInstant.now
    var clock = PhaseClock(in: .other, at: start)
    clock.enter(.data, at: start + .seconds(1))
    let before = clock.enter(.compute, at: start + .seconds(3))
    clock.enter(.evaluation, at: start + .seconds(10))
    clock.enter(.compute, at: start + .seconds(11))
    let split = clock.read(at: start + .seconds(20))

    #expect(before == .data)
    #expect(split.other == .seconds(1))
    #expect(split.data == .seconds(2))
    #expect(split.compute == .seconds(16))
    #expect(split.evaluation == .seconds(1))
    #expect(split.total == .seconds(20))
  }

  @Test("time another clock measured moves between phases without changing the total")
  func moves() {
    let start = MonotonicInstant.now
    var clock = PhaseClock(in: .compute, at: start)
    clock.enter(.other, at: start + .seconds(10))
    clock.move(.seconds(4), from: .compute, to: .communication)
    #expect(clock.split.compute == .seconds(6))
    #expect(clock.split.communication == .seconds(4))
    #expect(clock.split.total == .seconds(10))
  }

  @Test("splits add up phase by phase")
  func addition() {
    var sum = TimeSplit()
    for (index, phase) in Phase.allCases.enumerated() {
      var more = TimeSplit()
      more[phase] = .seconds(index + 1)
      sum += more
      sum += more
    }
    #expect(Phase.allCases.map { sum[$0] } == [2, 4, 6, 8, 10, 12, 14].map { .seconds($0) })
  }

  @Test("the table shows seconds and shares")
  func table() {
    var split = TimeSplit()
    split.compute = .seconds(150)
    split.communication = .seconds(20)
    split.waiting = .seconds(5)
    split.data = .milliseconds(1250)
    split.checkpoint = .milliseconds(3750)
    split.evaluation = .seconds(18)
    split.other = .seconds(2)
    #expect(
      split.lines == [
        "compute        150.0 s   75.0%",
        "communication   20.0 s   10.0%",
        "waiting          5.0 s    2.5%",
        "data             1.2 s    0.6%",
        "checkpoint       3.8 s    1.9%",
        "evaluation      18.0 s    9.0%",
        "other            2.0 s    1.0%",
        "total          200.0 s  100.0%",
      ])
  }

  @Test("a split of no time has no shares")
  func emptyTable() {
    #expect(TimeSplit().lines.last == "total          0.0 s  0.0%")
  }
}
