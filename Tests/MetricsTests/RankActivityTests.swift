import CAllocationCount
import Metrics
import Testing

@Suite("What a rank is doing")
struct RankActivityTests {
  /// Remembers what it was told.
  private final class Listener: ProgressSink {
    var notes: [String] = []

    func note(step: Int, phase: Phase, instruction: Int) {
      notes.append("\(step) \(phase.name) \(instruction)")
    }
  }

  @Test("a sink hears of the state it finds and of every phase and instruction from then on")
  func sink() {
    let activity = RankActivity(step: 7)
    let listener = Listener()
    activity.sink = listener
    activity.begin(step: 7)
    activity.during(.data) {}
    activity.begin(instruction: 0)
    activity.begin(instruction: 3)
    activity.endStep()
    #expect(
      listener.notes == [
        "7 other -1", "7 compute -1", "7 data -1", "7 compute -1", "7 compute 0", "7 compute 3",
        "8 other -1",
      ])
    #expect(activity.phase == .other && activity.step == 8)
    #expect(activity.instruction == RankActivity.noInstruction)
  }

  @Test("the parts of the time add up to what another clock says")
  func addUp() {
    let outside = ContinuousClock.now
    let activity = RankActivity()
    for step in 0..<200 {
      activity.begin(step: step)
      activity.during(.data) { work(20_000) }
      for instruction in 0..<10 {
        activity.begin(instruction: instruction)
        work(5000)
      }
      activity.move(.microseconds(3), from: .compute, to: .communication)
      activity.endStep()
      activity.during(.checkpoint) { work(3000) }
    }
    let split = activity.split()
    let elapsed = ContinuousClock.now - outside
    #expect(split.total <= elapsed)
    #expect(split.total >= elapsed * 0.98, "\(split.total) of \(elapsed)")
    #expect(split.communication == .microseconds(600))
    #expect(split.data > .zero && split.checkpoint > .zero && split.evaluation == .zero)
  }

  @Test("a phase that fails ends all the same")
  func failure() {
    struct Fault: Error {}
    let activity = RankActivity(in: .compute)
    #expect(throws: Fault.self) { try activity.during(.data) { throw Fault() } }
    #expect(activity.phase == .compute)
  }

  @Test("nothing is allocated, with a timeline or without", arguments: [false, true])
  func allocations(keepsTimeline: Bool) {
    let buffer = keepsTimeline ? TraceBuffer(capacity: 1000) : nil
    let activity = RankActivity(trace: buffer)
    let before = allocation_count_of_thread()
    for step in 0..<100 {
      activity.begin(step: step)
      activity.during(.data) {}
      for instruction in 0..<50 { activity.begin(instruction: instruction) }
      activity.endStep()
    }
    #expect(allocation_count_of_thread() == before)
    #expect(buffer?.records.count ?? 1000 == 1000)
  }

  /// Something that takes time.
  private func work(_ rounds: Int) {
    var sum = 0.0
    for round in 0..<rounds { sum += 1 / Double(round + 1) }
    #expect(sum > 0)
  }
}
