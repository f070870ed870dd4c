import Collectives
import Foundation
import Metrics
import Storage
import Testing
import Training

@Suite("Preemption")
struct PreemptionTests {
  /// Says that a signal has come from the n-th time on that it is asked.
  private final class Signal {
    private var questionsLeft: Int

    init(atQuestion number: Int) { questionsLeft = number }

    func ask() -> StopSignal? {
      questionsLeft -= 1
      return questionsLeft < 1 ? .terminate : nil
    }

    var hasCome: Bool { questionsLeft < 1 }
  }

  /// What a run leaves: weights and optimizer state, where it stands, what the log says of epochs.
  private struct Outcome: Equatable {
    var bits: [String: [UInt32]]
    var counters: RunCounters
    var epochs: [String]
  }

  /// Trains from start to end, with a stop at the n-th question of every start; -1: none.
  private func train(_ run: SmallRun, stoppingAt question: Int) throws -> (Outcome, stops: Int) {
    let checkpoints = TemporaryCheckpoints()
    let log = try checkpoints.file("metrics.jsonl")
    for stops in 0..<200 {
      let replica = try run.restored(from: checkpoints.folder)
      let signal = Signal(atQuestion: question)
      let preemption = Preemption(
        over: SoloCollectives(), deadline: nil,
        signal: question > 0 ? signal.ask : { nil })
      do {
        try run.train(
          replica, savingTo: checkpoints.folder, loggingTo: log, preemption: preemption)
      } catch let end as AgreedFailure {
        #expect(end.exitCode == 75 && end.isOrderly && signal.hasCome)
        let step = replica.counters.step
        #expect(
          end.message
            == (step == 0
              ? "preempted by SIGTERM before the first step: start the same command again"
              : "preempted by SIGTERM at step \(step): saved, start the same command again to go on")
        )
        continue
      }
      let epochs = try MetricsLog(path: log, resumingAt: .max).epochs.map { record in
        "\(record.step) \(record.epoch) \(record.train) \(String(describing: record.dev)) \(record.isBest)"
      }
      return (Outcome(bits: replica.bits, counters: replica.counters, epochs: epochs), stops)
    }
    throw Endless()
  }

  private struct Endless: Error {}

  @Test(
    "a run stopped at any question, in steps, evaluations and between, ends as if never stopped",
    arguments: [false, true])
  func anyMoment(stopsEarly: Bool) throws {
    var spec = SmallRun.spec()
    spec.evaluation.batch = 4
    spec.training.emaDecay = 0.9
    if stopsEarly {
      spec.training.epochs = 8
      spec.training.earlyStopping = EarlyStoppingSpec(patience: 2)
    }
    let run = try SmallRun(spec)
    let (whole, none) = try train(run, stoppingAt: -1)
    #expect(none == 0 && whole.epochs.count >= 4 && whole.counters.epochSamples == 0)
    // A run that is always stopped at question 1 (before the first step) or 2 (in the evaluation that the
    // start before still owed) gets nowhere. An epoch has 11 steps, its evaluation two rounds or more.
    var stops = 0
    for question in [3, 4, 7, 11, 12, 13, 14, 15, 16, 17, 30] {
      let (outcome, count) = try train(run, stoppingAt: question)
      #expect(outcome == whole, "stopped at question \(question) of every start")
      stops += count
    }
    #expect(stops > 60, "\(stops)")
  }

  @Test("a stop before the first step saves nothing")
  func start() throws {
    let checkpoints = TemporaryCheckpoints()
    let run = try SmallRun(SmallRun.spec())
    let preemption = Preemption(over: SoloCollectives(), deadline: nil, signal: { .interrupt })
    let end = #expect(throws: AgreedFailure.self) {
      try run.train(run.replica(), savingTo: checkpoints.folder, preemption: preemption)
    }
    #expect(
      end?.message == "preempted by SIGINT before the first step: start the same command again")
    #expect(try checkpoints.folder.names() == [])
  }

  @Test("--fresh must not be repeated, and the sentence says so")
  func fresh() throws {
    let run = try SmallRun(SmallRun.spec())
    let signal = Signal(atQuestion: 6)
    let preemption = Preemption(
      over: SoloCollectives(), deadline: nil, isFresh: true,
      signal: { signal.ask() == nil ? nil : .user })
    let end = #expect(throws: AgreedFailure.self) {
      try run.train(run.replica(), preemption: preemption)
    }
    #expect(
      end?.message
        == "preempted by SIGUSR1 at step 5: saved, start the same command again without --fresh to go on"
    )
  }

  @Test("a run stops at the deadline, by rank 0's clock")
  func deadline() throws {
    let run = try SmallRun(SmallRun.spec())
    let replica = run.replica()
    var now = 1000.0
    let preemption = Preemption(
      over: SoloCollectives(), deadline: Deadline(end: 1030, grace: 10, now: now),
      signal: { nil },
      now: {
        defer { now += 1 }
        return now
      })
    let end = #expect(throws: AgreedFailure.self) {
      try run.train(replica, preemption: preemption)
    }
    // Asked at 1000 before the first step and after the evaluation at the end of step 11.
    #expect(replica.counters.step < 20)
    #expect(
      end?.message
        == "preempted by the end of the job's time at step \(replica.counters.step): saved, start the same command again to go on"
    )
  }
}
