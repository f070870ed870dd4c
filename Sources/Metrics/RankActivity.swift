/// The one thing that knows what this rank is doing now.
///
/// Whoever begins a phase or an instruction of the plan says so here once. Three readers follow: the time
/// split, the timeline of `--trace`, and the sink through which the other ranks see how far this one is.
/// Nothing here allocates. The clock is asked when a phase begins, and for every instruction only while
/// a timeline is kept.
package final class RankActivity {
  /// The instruction while the plan is not being walked.
  package static let noInstruction = -1

  /// The step under way, or the one that comes next.
  package var step: Int { stepUnderWay }
  /// The instruction that began last in this phase.
  package var instruction: Int { instructionUnderWay }
  package var phase: Phase { clock.phase }

  /// Told of every change from now on, beginning with the present state.
  package var sink: (any ProgressSink)? {
    get { listener }
    set {
      listener = newValue
      newValue?.note(step: step, phase: phase, instruction: instruction)
    }
  }

  // Private, so that the compiler sees every access: one that it must guard at run time costs more than
  // everything else here.
  private var stepUnderWay: Int
  private var instructionUnderWay = RankActivity.noInstruction
  private var shard = 0
  private var clock: PhaseClock
  private var listener: (any ProgressSink)?
  private let trace: TraceBuffer?

  /// - Parameter trace: Keeps every change for a timeline.
  package init(
    in phase: Phase = .other, step: Int = 0, trace: TraceBuffer? = nil,
    at now: MonotonicInstant = .now
  ) {
    stepUnderWay = step
    self.trace = trace
    clock = PhaseClock(in: phase, at: now)
    record(.phaseBegan, at: now)
  }

  /// Begins a training step, in the phase `compute`.
  package func begin(step: Int, at now: MonotonicInstant = .now) {
    stepUnderWay = step
    trace?.prepare(step: step, at: now)
    record(.stepBegan, at: now)
    begin(.compute, at: now)
  }

  /// Ends the step; what follows is `other` until something else is said.
  package func endStep(at now: MonotonicInstant = .now) {
    record(.stepEnded, at: now)
    stepUnderWay += 1
    begin(.other, at: now)
  }

  /// Begins `phase` and returns the one that ended, for going back to it later.
  @discardableResult
  package func begin(_ phase: Phase, at now: MonotonicInstant = .now) -> Phase {
    let previous = clock.enter(phase, at: now)
    instructionUnderWay = Self.noInstruction
    record(.phaseBegan, at: now)
    listener?.note(step: step, phase: phase, instruction: instruction)
    return previous
  }

  /// Runs `body` in `phase` and goes back to the phase before.
  package func during<Result>(_ phase: Phase, _ body: () throws -> Result) rethrows -> Result {
    let previous = begin(phase)
    defer { begin(previous) }
    return try body()
  }

  /// Begins a micro-shard, in its number within the whole batch.
  package func begin(shard: Int) { self.shard = shard }

  /// Begins an instruction of the plan, in the same phase.
  package func begin(instruction: Int) {
    instructionUnderWay = instruction
    if let trace, trace.isRecording { record(.instructionBegan, at: .now) }
    listener?.note(step: stepUnderWay, phase: clock.phase, instruction: instruction)
  }

  /// Says again what is known, for work that stays long in one phase: whoever watches sees that it goes on.
  package func goOn() {
    sink?.note(step: step, phase: phase, instruction: instruction)
  }

  /// Moves time that another clock measured inside one phase to the phase it belongs to.
  package func move(_ duration: Duration, from source: Phase, to target: Phase) {
    clock.move(duration, from: source, to: target)
  }

  /// The time since the beginning, by phase.
  package func split(at now: MonotonicInstant = .now) -> TimeSplit { clock.read(at: now) }

  /// Tells the timeline when a checkpoint was written beside the training.
  package func noteWrite(from start: MonotonicInstant, to end: MonotonicInstant) {
    trace?.addWrite(from: start, to: end)
  }

  /// Ends the timeline for good.
  package func endTrace(at now: MonotonicInstant = .now) { trace?.end(at: now) }

  private func record(_ kind: TraceRecord.Kind, at now: MonotonicInstant) {
    guard let trace, trace.isRecording else { return }
    trace.add(
      TraceRecord(
        kind, at: now, step: step, phase: phase, instruction: instruction, shard: shard))
  }
}
