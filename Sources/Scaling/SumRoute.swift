import DataParallel

/// What the owner of one slice of a bucket does until every rank of its host has the sum, stage by stage: read
/// off `HostSum` and `SliceSchedule`, which a run follows.
package struct SumRoute: Equatable, Sendable {
  /// From the slice's owner on one host to its owner on another.
  package struct Message: Hashable, Sendable {
    package var from: Int
    package var to: Int
    package var byteCount: Int
    /// How many of the bucket's messages went before it from the one host to the other.
    package var number: Int
  }

  package enum Stage: Equatable, Sendable {
    /// Adding up, in bytes read and written.
    case add(byteCount: Int)
    /// Makes ready to receive.
    case post([Message])
    case send(Message)
    /// Waits for a message.
    case receive(Message)
    /// Waits until everything sent before has left.
    case settle
    /// Waits for the host's other ranks to say that their slices are done.
    case publish
  }

  package private(set) var stages: [Stage] = []
  private let host: Int
  /// Messages so far, by the other host.
  private var sentCounts: [Int: Int] = [:]
  private var postedCounts: [Int: Int] = [:]

  /// The routes of a slice on all hosts, by host.
  package static func ofSlice(
    _ slice: Int, bucket: Range<Int>, _ layout: HostLayout
  ) -> [SumRoute] {
    let elements = layout.elements(ofSlice: slice, in: bucket)
    let schedules =
      layout.hosts.count > 1
      ? SliceSchedule.onAllHosts(layout, slice: slice, elements: elements) : []
    return layout.hosts.indices.map { host in
      var route = SumRoute(host: host)
      route.appendAdd(HostSum(layout, host: host).touchedPlaces * bytes(elements))
      if !schedules.isEmpty { route.append(schedules[host]) }
      if layout.hosts[host].count > 1 { route.stages.append(.publish) }
      return route
    }
  }

  private init(host: Int) { self.host = host }

  private mutating func append(_ schedule: SliceSchedule) {
    let received = appendPost(schedule.receives)
    for step in schedule.steps {
      switch step {
      case .send(_, let piece, let other, _): appendSend(piece, to: other)
      case .awaitSent: stages.append(.settle)
      case .addReceived(let request, _, let piece):
        appendReceive(received[request])
        appendAdd(3 * bytes(piece))
      case .add(_, _, let piece): appendAdd(3 * bytes(piece))
      }
    }
    stages.append(.settle)
    let published = appendPost(schedule.publishReceives)
    for step in schedule.publishSteps {
      switch step {
      case .send(let piece, let other, _): appendSend(piece, to: other)
      case .awaitReceived(let request): appendReceive(published[request])
      }
    }
    stages.append(.settle)
  }

  /// - Returns: The messages by request.
  private mutating func appendPost(_ receives: [SliceSchedule.Receive]) -> [Int: Message] {
    var messages: [Int: Message] = [:]
    var posted: [Message] = []
    for receive in receives {
      let message = Message(
        from: receive.host, to: host, byteCount: bytes(receive.piece),
        number: postedCounts.countUp(receive.host))
      messages[receive.request] = message
      posted.append(message)
    }
    stages.append(.post(posted))
    return messages
  }

  private mutating func appendSend(_ piece: Range<Int>, to other: Int) {
    stages.append(
      .send(
        Message(
          from: host, to: other, byteCount: bytes(piece), number: sentCounts.countUp(other))))
  }

  private mutating func appendReceive(_ message: Message?) {
    guard let message else { preconditionFailure("a message is awaited that nobody announced") }
    stages.append(.receive(message))
  }

  private mutating func appendAdd(_ byteCount: Int) {
    if byteCount > 0 { stages.append(.add(byteCount: byteCount)) }
  }
}

extension SumRoute {
  /// Bytes read and written in memory to add up.
  package var addedBytes: Int {
    stages.reduce(0) { if case .add(let bytes) = $1 { $0 + bytes } else { $0 } }
  }

  package var sent: [Message] {
    stages.compactMap { if case .send(let message) = $0 { message } else { nil } }
  }

  /// What was sent in front of a `settle` and after the one before.
  static func unsettled(_ stages: ArraySlice<Stage>) -> [Message] {
    let start = (stages.lastIndex(of: .settle) ?? stages.startIndex - 1) + 1
    return stages[start...].compactMap { if case .send(let message) = $0 { message } else { nil } }
  }

  /// On the way to the sums, into memory of their own.
  package var receivedToAdd: [Message] {
    stages.lazy.compactMap { if case .post(let messages) = $0 { messages } else { nil } }.first
      ?? []
  }
}

extension HostSum {
  /// How often an element of a slot is read or written; buffers stay in the cache.
  fileprivate var touchedPlaces: Int {
    additions.reduce(0) { count, addition in
      count
        + [addition.left, addition.right, addition.target].count {
          if case .place = $0 { true } else { false }
        }
    }
  }
}

extension [Int: Int] {
  /// The count so far; one more from now on.
  fileprivate mutating func countUp(_ key: Int) -> Int {
    let count = self[key, default: 0]
    self[key] = count + 1
    return count
  }
}

private func bytes(_ elements: Range<Int>) -> Int { elements.count * MemoryLayout<Float>.stride }
