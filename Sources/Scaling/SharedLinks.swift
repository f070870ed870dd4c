/// Messages that move at this moment, and how fast: the hosts' links are divided among them.
///
/// Each host has one link out and one in, which its messages share evenly, as TCP connections do in the long
/// run; a message moves at the smaller of its two shares. From one host to another messages follow each other,
/// as on one connection.
struct SharedLinks<Message> {
  private struct Flow {
    let message: Message
    let from: Int
    let to: Int
    var bytesLeft: Double
    var bytesPerSecond = 0.0
    /// When both were right.
    var time = 0.0

    var end: Double { bytesLeft > 0 ? time + bytesLeft / bytesPerSecond : time }
  }

  private let bytesPerSecond: Double
  private var moving: [Flow] = []
  /// Behind a moving one between the same hosts.
  private var queued: [Flow] = []
  /// By host.
  private var outCounts: [Int]
  private var inCounts: [Int]

  init(hosts: Int, bytesPerSecond: Double) {
    self.bytesPerSecond = bytesPerSecond
    outCounts = Array(repeating: 0, count: hosts)
    inCounts = outCounts
  }

  /// When the next message has left; nil: none is moving.
  private(set) var nextEnd: Double?

  mutating func start(_ message: Message, byteCount: Int, from: Int, to: Int, now: Double) {
    let flow = Flow(message: message, from: from, to: to, bytesLeft: Double(byteCount))
    if moving.contains(where: { $0.from == from && $0.to == to }) {
      queued.append(flow)
    } else {
      move(flow, now: now)
      nextEnd = moving.lazy.map(\.end).min()
    }
  }

  /// The message that leaves at `nextEnd`.
  mutating func end() -> Message? {
    guard let time = nextEnd, let index = moving.firstIndex(where: { $0.end == time }) else {
      return nil
    }
    let flow = moving.remove(at: index)
    count(flow, -1, now: time)
    if let next = queued.firstIndex(where: { $0.from == flow.from && $0.to == flow.to }) {
      move(queued.remove(at: next), now: time)
    }
    nextEnd = moving.lazy.map(\.end).min()
    return flow.message
  }

  private mutating func move(_ flow: Flow, now: Double) {
    var flow = flow
    flow.time = now
    moving.append(flow)
    count(flow, 1, now: now)
  }

  /// Divides the two links anew among one message more or less.
  private mutating func count(_ flow: Flow, _ change: Int, now: Double) {
    outCounts[flow.from] += change
    inCounts[flow.to] += change
    for index in moving.indices
    where moving[index].from == flow.from || moving[index].to == flow.to {
      let other = moving[index]
      if now > other.time {
        moving[index].bytesLeft = max(
          0, other.bytesLeft - (now - other.time) * other.bytesPerSecond)
      }
      moving[index].time = now
      moving[index].bytesPerSecond =
        bytesPerSecond / Double(max(outCounts[other.from], inCounts[other.to]))
    }
  }
}
