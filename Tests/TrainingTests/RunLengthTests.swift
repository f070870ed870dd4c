import Diagnostics
import Optimizers
import Testing
import Training

@Suite("The length of a run")
struct RunLengthTests {
  @Test(
    "the last batch of an epoch is the rest",
    arguments: [(203, 24, 9, 11), (48, 24, 2, 24), (5, 8, 1, 5)])
  func lastBatch(samples: Int, batch: Int, steps: Int, rest: Int) {
    let length = RunLength(samples: samples, batch: batch, epochs: 3)
    #expect(length.stepsPerEpoch == steps)
    #expect(length.totalSteps == 3 * steps)
    #expect(length.positions(ofStep: steps - 1) == samples - rest..<samples)
    #expect(length.positions(ofStep: 2 * steps - 1) == samples - rest..<samples)
  }

  @Test("every epoch takes each sample exactly once")
  func everySample() {
    let length = RunLength(samples: 203, batch: 24, epochs: 2)
    for epoch in 0..<2 {
      let steps = (0..<length.totalSteps).filter { length.epoch(ofStep: $0) == epoch }
      #expect(steps.flatMap { Array(length.positions(ofStep: $0)) } == Array(0..<203))
    }
  }

  @Test("an epoch ends after its last step")
  func epochEnds() {
    let length = RunLength(samples: 203, batch: 24, epochs: 2)
    #expect((1...18).filter { length.endsEpoch(after: $0) } == [9, 18])
    #expect([0, 8, 9, 17, 18].map { length.epoch(ofStep: $0) } == [0, 0, 1, 1, 2])
  }

  @Test("max_steps ends this start early and leaves the whole run's length alone")
  func maxSteps() {
    let cut = RunLength(samples: 203, batch: 24, epochs: 2, maxSteps: 5)
    #expect(cut.lastStep == 5 && cut.totalSteps == 18)
    #expect(RunLength(samples: 203, batch: 24, epochs: 2, maxSteps: 50).lastStep == 18)
  }

  @Test("ranks that step alone agree after every few steps of an epoch and at its end")
  func localSteps() {
    func length(_ maxSteps: Int? = nil) -> RunLength {
      RunLength(samples: 203, batch: 24, epochs: 2, maxSteps: maxSteps, localSteps: 4)
    }
    #expect((0...18).filter { length().agrees(after: $0) } == [0, 4, 8, 9, 13, 17, 18])
    #expect(
      (0...20).map { length($0).lastStep } == [
        0, 4, 4, 4, 4, 8, 8, 8, 8, 9, 13, 13, 13, 13, 17, 17, 17, 17, 18, 18, 18,
      ])
    #expect(length().lastStep == 18)
  }

  @Test("a warm-up may take the whole run and no more", arguments: [0, 1, 17, 18])
  func warmup(steps: Int) throws {
    var schedule = ScheduleSpec(.constant)
    schedule.warmup = .steps(steps)
    try RunLength(samples: 203, batch: 24, epochs: 2).checkWarmup(of: schedule, place: "a.yaml:1:1")
  }

  @Test("a warm-up that is longer than the run is refused, whatever max_steps says")
  func longWarmup() throws {
    var schedule = ScheduleSpec(.cosine(final: 0))
    schedule.warmup = .steps(500)
    let length = RunLength(samples: 203, batch: 24, epochs: 5, maxSteps: 1000)
    let fault = #expect(throws: Diagnostic.self) {
      try length.checkWarmup(of: schedule, place: "a.yaml:9:38")
    }
    #expect(
      fault?.description == """
        a.yaml:9:38: schedule.warmup_steps is 500, but the whole run has 45 steps
          expected: at most 45: 5 x 9 steps of an epoch
          to fix:   use 2 or so, or raise training.epochs
        """)
  }
}
