import Diagnostics
import Testing
import Training

@Suite("Deadlines")
struct DeadlineTests {
  private func deadline(
    _ endTime: JobEndTime?, _ environment: [String: String] = [:], grace: Double = 60
  ) throws -> Deadline? {
    var spec = PreemptionSpec()
    spec.endTime = endTime
    spec.graceSeconds = grace
    return try Deadline(spec, environment: environment, now: 10_000)
  }

  @Test("the run stops the grace and the time of a save before the job's end")
  func margin() {
    let deadline = Deadline(end: 20_000, grace: 60, now: 10_000)
    #expect(!deadline.isReached(at: 19_939, saving: .zero))
    #expect(deadline.isReached(at: 19_940, saving: .zero))
    #expect(!deadline.isReached(at: 19_929, saving: .seconds(10)))
    #expect(deadline.isReached(at: 19_930, saving: .seconds(10)))
  }

  @Test("half of a short job is used, however long the grace")
  func shortJob() {
    let deadline = Deadline(end: 10_040, grace: 60, now: 10_000)
    #expect(deadline.margin == 20)
    #expect(!deadline.isReached(at: 10_019, saving: .zero))
  }

  @Test("the job's end is what the environment says, ours before Slurm's")
  func environment() throws {
    #expect(try deadline(.automatic) == nil)
    #expect(try deadline(.automatic, ["SLURM_JOB_END_TIME": "12000"])?.end == 12_000)
    let both = ["SLURM_JOB_END_TIME": "12000", "DDP_TRAIN_END_TIME": "11000"]
    #expect(try deadline(.automatic, both)?.end == 11_000)
    #expect(try deadline(nil, both) == nil)
    #expect(try deadline(.at(13_000), both)?.end == 13_000)
    #expect(try deadline(.automatic, ["DDP_TRAIN_END_TIME": ""]) == nil)
  }

  @Test("an end in the environment that is over means that the job was prolonged")
  func prolonged() throws {
    #expect(try deadline(.automatic, ["SLURM_JOB_END_TIME": "9999"]) == nil)
  }

  @Test("a configured time that is over, and an unreadable one, are faults")
  func faults() {
    let over = #expect(throws: Diagnostic.self) { try deadline(.at(9_999)) }
    #expect(
      over.map { "\($0)" } == """
        preemption.end_time: 1970-01-01T02:46:39Z is over
          expected: a time ahead, before which the run saves and stops
          to fix:   give a later time, or preemption.end_time=null for none
        """)
    let unreadable = #expect(throws: Diagnostic.self) {
      try deadline(.automatic, ["DDP_TRAIN_END_TIME": "noon"])
    }
    #expect(
      unreadable.map { "\($0)" } == """
        environment variable DDP_TRAIN_END_TIME: "noon" is no time
          expected: the job's end in whole seconds since 1970
          to fix:   unset it, or set preemption.end_time to a time or to null
        """)
  }

  @Test("the header names the end and the margin")
  func header() {
    #expect(
      Deadline(end: 1_772_384_400, grace: 60, now: 0).text
        == "2026-03-01T17:00:00Z, stopping 60 seconds before")
  }
}
