/// How far a host has come in a simulated step: the walk of its rank with the most micro-shards through
/// the rank's program and through the routes of its buckets.
struct HostWalk {
  enum Mood { case working, looking, waiting, done }

  let program: [StepProgram.Action]
  /// By bucket, of one of the rank's slices.
  let routes: [SumRoute]
  /// The rank's slices: it adds up each of them.
  let slices: Int
  let secondsPerByte: Double
  /// Until the other ranks of the host have read a word; 0 for a rank alone.
  let flagSeconds: Double

  /// Seconds since the step began.
  private(set) var now = 0.0
  private(set) var mood = Mood.working
  private(set) var trace: [StepTrace.Action] = []
  private var position = 0
  private var progress: [BucketProgress]
  /// Buckets that were started and are not through.
  private var openBuckets: [Int] = []
  /// When it was last seen that no sum can move.
  private var idleAt = -1.0

  private struct BucketProgress {
    /// The next one of the route.
    var stage = 0
    /// No word of the host's other ranks is awaited after this time.
    var isReadyAt = 0.0
  }

  init(
    _ program: StepProgram, routes: [SumRoute], slices: Int, secondsPerByte: Double,
    flagSeconds: Double
  ) {
    self.program = program.actions
    self.routes = routes
    self.slices = slices
    self.secondsPerByte = secondsPerByte
    self.flagSeconds = flagSeconds
    progress = routes.map { _ in BucketProgress() }
    if self.program.isEmpty { mood = .done }
  }

  /// When this host acts next, with messages to notice at `alarms`; nil: others must act before.
  func nextTime(_ alarms: [Double]) -> Double? {
    switch mood {
    case .done: nil
    case .working, .looking: now
    case .waiting: [nextFlag, alarms.min()].compactMap { $0 }.min().map { max(now, $0) }
    }
  }

  /// Ends a wait at `time`. A wait for a message costs nothing in a trace, where the message takes its time.
  mutating func wake(at time: Double) {
    if time == nextFlag { spend(time - now) }
    now = time
    mood = .looking
  }

  /// Carries out one action of the program.
  mutating func work() {
    switch program[position] {
    case .compute(let seconds): spend(seconds)
    case .start(let bucket):
      progress[bucket].isReadyAt = now + flagSeconds
      if !routes[bucket].stages.isEmpty { openBuckets.append(bucket) }
      mood = .looking
    case .poll: mood = .looking
    case .wait(let bucket):
      if openBuckets.contains(bucket) {
        mood = idleAt == now ? .waiting : .looking
        return
      }
    }
    position += 1
    if position == program.count { mood = .done }
  }

  /// Takes one stage of the first bucket that can move; goes back to work where none can.
  mutating func moveSums(_ messages: inout MessagesUnderWay) {
    guard let bucket = openBuckets.first(where: { canMove($0, messages) }) else {
      idleAt = now
      mood = .working
      return
    }
    let stages = routes[bucket].stages
    take(bucket, &messages)
    progress[bucket].stage += 1
    let stage = progress[bucket].stage
    if stage == stages.count {
      openBuckets.removeAll { $0 == bucket }
    } else if stages[stage] == .publish {
      progress[bucket].isReadyAt = now + flagSeconds
    }
  }

  private func canMove(_ bucket: Int, _ messages: MessagesUnderWay) -> Bool {
    let stages = routes[bucket].stages
    let stage = progress[bucket].stage
    guard progress[bucket].isReadyAt <= now else { return false }
    switch stages[stage] {
    case .add, .post, .send, .publish: return true
    case .receive(let message):
      return messages.hasArrived(.init(bucket: bucket, message: message), now: now)
    case .settle:
      return SumRoute.unsettled(stages[..<stage]).allSatisfy {
        messages.hasLeft(.init(bucket: bucket, message: $0), now: now)
      }
    }
  }

  private mutating func take(_ bucket: Int, _ messages: inout MessagesUnderWay) {
    let stage = progress[bucket].stage
    switch routes[bucket].stages[stage] {
    case .add(let byteCount):
      spend(Double(byteCount * slices) * secondsPerByte)
      return
    case .post(let expected):
      for message in expected { messages.post(.init(bucket: bucket, message: message)) }
    case .send(let message): messages.send(.init(bucket: bucket, message: message), now: now)
    case .receive, .settle: break
    case .publish: return
    }
    trace.append(.take(bucket: bucket, stage: stage))
  }

  private var nextFlag: Double? {
    openBuckets.map { progress[$0].isReadyAt }.filter { $0 > now }.min()
  }

  private mutating func spend(_ seconds: Double) {
    now += seconds
    if seconds > 0 { trace.append(.spend(seconds: seconds)) }
  }
}
