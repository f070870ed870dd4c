/// Messages between hosts while a step is simulated: who has announced, let in or sent what, and when the
/// other side can notice.
///
/// A message of at most `NetworkModel.eagerBytes` is sent at once. Of a longer one as many bytes go ahead; the receiver
/// lets the rest in when it looks at its messages and has made room, and the sender sends the rest when it
/// looks and finds that it may: a round trip more. The word for it passes by the other messages.
///
/// Source: Shipman, Woodall, Graham, Maccabe, "Infiniband scalability in Open MPI", IPDPS 2006, section 3
/// (the protocols of ob1, which TCP has as well).
struct MessagesUnderWay {
  /// A message of one bucket.
  struct Key: Hashable {
    var bucket: Int
    var message: SumRoute.Message
  }

  private enum Part { case announcement, rest }

  private enum Stage {
    /// Something of it is on a link.
    case moving
    /// The receiver can notice it at this time.
    case announced(at: Double)
    /// The sender can know at this time that it may go on.
    case admitted(at: Double)
    case sent(leaves: Double, arrives: Double)
  }

  private let network: NetworkModel
  /// Messages like each one that a host's ranks send at the same time.
  private let copies: Int
  private var links: SharedLinks<(Key, Part)>
  private var stages: [Key: Stage] = [:]
  /// For which the receiver has made room.
  private var expected: Set<Key> = []
  /// By host, what its rank has to react to when it looks.
  private var unanswered: [[Key]]
  /// By host: when there is something to notice.
  private(set) var alarms: [[Double]]

  init(_ network: NetworkModel, hosts: Int, copies: Int) {
    self.network = network
    self.copies = copies
    links = SharedLinks(hosts: hosts, bytesPerSecond: network.bytesPerSecond)
    unanswered = Array(repeating: [], count: hosts)
    alarms = Array(repeating: [], count: hosts)
  }

  // MARK: What ranks do

  mutating func post(_ key: Key) { expected.insert(key) }

  mutating func send(_ key: Key, now: Double) {
    let isLong = key.message.byteCount > network.eagerBytes
    carry(
      key, isLong ? .announcement : .rest, min(key.message.byteCount, network.eagerBytes), now: now)
  }

  /// What the MPI library of `host` does whenever the rank looks at any message.
  mutating func look(_ host: Int, now: Double) {
    alarms[host].removeAll { $0 <= now }
    let keys = unanswered[host]
    unanswered[host] = []
    for key in keys where !react(to: key, now: now) { unanswered[host].append(key) }
  }

  func hasArrived(_ key: Key, now: Double) -> Bool {
    if case .sent(_, let arrives) = stages[key] { arrives <= now } else { false }
  }

  /// A short message has left for its sender as soon as the library has it.
  func hasLeft(_ key: Key, now: Double) -> Bool {
    if key.message.byteCount <= network.eagerBytes { return true }
    if case .sent(let leaves, _) = stages[key] { return leaves <= now }
    return false
  }

  /// Whether that was all there was to do at this end.
  private mutating func react(to key: Key, now: Double) -> Bool {
    switch stages[key] {
    case .announced(let time) where time <= now && expected.contains(key):
      let known = now + network.latencySeconds
      stages[key] = .admitted(at: known)
      unanswered[key.message.from].append(key)
      alarms[key.message.from].append(known)
      return true
    case .admitted(let time) where time <= now:
      carry(key, .rest, key.message.byteCount - network.eagerBytes, now: now)
      return true
    default: return false
    }
  }

  // MARK: What the network does

  /// When the last byte of something leaves next.
  var nextEnd: Double? { links.nextEnd }

  /// Carries the network on to `nextEnd`.
  mutating func end() {
    guard let time = links.nextEnd, let (key, part) = links.end() else { return }
    let (from, to) = (key.message.from, key.message.to)
    let arrives = time + network.latencySeconds
    switch part {
    case .announcement:
      stages[key] = .announced(at: arrives)
      unanswered[to].append(key)
      alarms[to].append(arrives)
    case .rest:
      stages[key] = .sent(leaves: time, arrives: arrives)
      alarms[from].append(time)
      alarms[to].append(arrives)
    }
  }

  private mutating func carry(_ key: Key, _ part: Part, _ byteCount: Int, now: Double) {
    stages[key] = .moving
    links.start(
      (key, part), byteCount: byteCount * copies, from: key.message.from, to: key.message.to,
      now: now)
  }
}
