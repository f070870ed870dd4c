import Metrics
import Testing

@Suite("The time of all ranks")
struct RankTimesTests {
  private func split(
    compute: Int = 0, communication: Int = 0, waiting: Int = 0, data: Int = 0, checkpoint: Int = 0,
    evaluation: Int = 0, other: Int = 0
  ) -> TimeSplit {
    var split = TimeSplit()
    split.compute = .milliseconds(compute)
    split.communication = .milliseconds(communication)
    split.waiting = .milliseconds(waiting)
    split.data = .milliseconds(data)
    split.checkpoint = .milliseconds(checkpoint)
    split.evaluation = .milliseconds(evaluation)
    split.other = .milliseconds(other)
    return split
  }

  @Test("what a rank has less to do than the busiest is waiting, the rest stays communication")
  func explained() {
    var times = RankTimes([
      split(compute: 900, communication: 300, data: 100),
      split(compute: 1100, communication: 100, data: 100),
      // Known to have waited already; only 50 more are explained.
      split(compute: 1000, communication: 100, waiting: 150),
      // Less to do by more than it was seen to wait: the rest passed elsewhere.
      split(compute: 700, communication: 20, evaluation: 480),
    ])
    let waits = times.explainedWaits()
    #expect(waits == [200, 0, 50, 20].map { .milliseconds($0) })
    let before = times.splits.map(\.total)
    times.count(asWaiting: waits)
    #expect(times.splits.map(\.waiting) == [200, 0, 200, 20].map { .milliseconds($0) })
    #expect(times.splits.map(\.communication) == [100, 100, 50, 0].map { .milliseconds($0) })
    #expect(times.splits.map(\.total) == before)
  }

  @Test("the slowest rank is named with host, excess, waiting and reason")
  func slowest() {
    let even = split(compute: 10_000, communication: 500, waiting: 1200)
    var times = RankTimes([even, even, even, split(compute: 11_200, communication: 500)])
    let hosts = ["node1", "node1", "node2", "node2"]
    #expect(
      times.slownessLine(hosts: hosts, shards: [2, 2, 2, 2])
        == "rank 3 (node2) is 12% slower than the others: 1.2 s of waiting")
    #expect(
      times.slownessLine(hosts: hosts, shards: [2, 2, 1, 3])
        == "rank 3 (node2) is 12% slower than the others (it has 3 of the 8 micro-shards): "
        + "1.2 s of waiting")
    let saving = split(compute: 10_000, communication: 500, checkpoint: 1200)
    times = RankTimes([saving, even, even, even])
    #expect(
      times.slownessLine(hosts: hosts, shards: [2, 2, 2, 2])
        == "rank 0 (node1) is 12% slower than the others (checkpoint): 1.2 s of waiting")
  }

  @Test("nobody is named for a small difference, a short time, or alone")
  func nobody() {
    func line(_ splits: [TimeSplit]) -> String? {
      RankTimes(splits).slownessLine(
        hosts: splits.map { _ in "vm" }, shards: splits.map { _ in 1 })
    }
    #expect(line([split(compute: 10_000, waiting: 400), split(compute: 10_400)]) == nil)
    #expect(line([split(compute: 100, waiting: 90), split(compute: 190)]) == nil)
    #expect(line([split(compute: 10_000)]) == nil)
    #expect(line([split(), split()]) == nil)
    #expect(line([split(compute: 10_000, waiting: 600), split(compute: 10_600)]) != nil)
  }

  @Test("a table has a column for each of a few ranks")
  func columns() {
    let times = RankTimes([
      split(compute: 6000, communication: 500, waiting: 1500, data: 100, other: 1900),
      split(compute: 7500, communication: 500, data: 100, other: 1900),
    ])
    #expect(
      times.lines == [
        "               rank 0  rank 1   share",
        "compute         6.0 s   7.5 s   67.5%",
        "communication   0.5 s   0.5 s    5.0%",
        "waiting         1.5 s   0.0 s    7.5%",
        "data            0.1 s   0.1 s    1.0%",
        "checkpoint      0.0 s   0.0 s    0.0%",
        "evaluation      0.0 s   0.0 s    0.0%",
        "other           1.9 s   1.9 s   19.0%",
        "total          10.0 s  10.0 s  100.0%",
      ])
  }

  @Test("a table of many ranks shows the least, the mean and the most")
  func manyRanks() {
    let times = RankTimes(
      (0..<16).map { split(compute: 1000 + 200 * $0, waiting: 3000 - 200 * $0) }
    )
    #expect(times.lines[0] == "               least   mean   most   share")
    #expect(times.lines[1] == "compute        1.0 s  2.5 s  4.0 s   62.5%")
    #expect(times.lines[3] == "waiting        0.0 s  1.5 s  3.0 s   37.5%")
    #expect(times.lines.last == "total          4.0 s  4.0 s  4.0 s  100.0%")
  }

  @Test("the record of an epoch lists every part by rank")
  func record() {
    let record = TimeRecord(
      step: 20, epoch: 2,
      times: RankTimes([
        split(compute: 1500, waiting: 250, data: 125), split(compute: 1750, data: 125),
      ]))
    #expect(
      record.jsonText
        == #"{"kind":"time","step":20,"epoch":2,"compute_seconds":[1.5,1.75],"#
        + #""communication_seconds":[0.0,0.0],"waiting_seconds":[0.25,0.0],"#
        + #""data_seconds":[0.125,0.125],"checkpoint_seconds":[0.0,0.0],"#
        + #""evaluation_seconds":[0.0,0.0],"other_seconds":[0.0,0.0],"slowest_rank":1}"#)
  }
}
