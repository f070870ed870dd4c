import Foundation
import Metrics
import Testing

@Suite("Trace files")
struct TraceTextTests {
  private let text = TraceText(origin: MonotonicInstant(nanoseconds: 1_000_000))

  private func at(_ nanoseconds: Int64) -> MonotonicInstant {
    MonotonicInstant(nanoseconds: nanoseconds)
  }

  @Test("events are written as Chrome's trace format has them")
  func events() {
    let spans = [
      TraceSpan(
        .work, .instruction, "dense [layers.0]", from: at(1_001_500), to: at(1_003_007), step: 0,
        instruction: 3, shard: 5),
      TraceSpan(
        .sums, .sum, "sum bucket 1", from: at(999_000), to: at(2_000_000), step: 0, bucket: 1),
    ]
    #expect(
      text.events(spans, rank: 2, clock: .own) == """
        ,
        {"ph":"X","pid":2,"tid":0,"cat":"instruction","name":"dense [layers.0]","ts":1.500,"dur":1.507,"args":{"step":1,"instruction":3,"micro_shard":5}},
        {"ph":"b","pid":2,"tid":2,"cat":"sum","name":"sum bucket 1","id":"2.0.1","ts":-1.000,"args":{"step":1,"bucket":1}},
        {"ph":"e","pid":2,"tid":2,"cat":"sum","name":"sum bucket 1","id":"2.0.1","ts":1000.000}
        """)
  }

  @Test("a whole file is JSON, whatever users call their things")
  func whole() throws {
    let file =
      text.head(run: "a \"run\"\\\n", plan: "plan: 1\n  dense\n", notes: [("ranks", "2")])
      + text.names(rank: 0, of: 2, host: "nöde\t1") + text.events([], rank: 0, clock: .own)
      + text.names(rank: 1, of: 2, host: "b") + text.tail
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(file.utf8)) as? [String: Any])
    let other = try #require(object["otherData"] as? [String: Any])
    #expect(other["run"] as? String == "a \"run\"\\\n")
    #expect(other["ranks"] as? String == "2")
    #expect(other["plan"] as? [String] == ["plan: 1", "  dense"])
    let events = try #require(object["traceEvents"] as? [[String: Any]])
    let processes = events.filter { $0["name"] as? String == "process_name" }
    let names = processes.compactMap { ($0["args"] as? [String: String])?["name"] }
    #expect(names == ["rank 0 (nöde\t1)", "rank 1 (b)"])
  }

  @Test("a message there and back tells how far a clock is ahead, up to half its way")
  func lead() {
    let point = ClockLine.Point(sent: at(1000), answered: at(51_300), returned: at(1400))
    #expect(point.lead == .nanoseconds(50_100))
    #expect(point.uncertainty == .nanoseconds(200))
  }

  @Test("a clock that runs fast is corrected along a line, and moments keep their order")
  func drift() {
    // 1 ms ahead at first; after 10 s by its own reading 3 ms.
    let line = ClockLine(
      start: .init(time: at(0), lead: .milliseconds(1), uncertainty: .zero),
      end: .init(time: at(10_000_000_000), lead: .milliseconds(3), uncertainty: .zero))
    #expect(line.corrected(at(0)) == at(-1_000_000))
    #expect(line.corrected(at(5_000_000_000)) == at(4_998_000_000))
    #expect(line.corrected(at(10_000_000_000)) == at(9_997_000_000))
    #expect(line.corrected(at(20_000_000_000)) == at(19_995_000_000))
    let moments = (0..<2000).map { line.corrected(at(7_777_777 + $0)) }
    #expect(moments == moments.sorted())
    #expect(ClockLine.own.corrected(at(123)) == at(123))
  }
}
