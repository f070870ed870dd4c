import Collectives
import Kernels
import Storage

/// One slice of one bucket on its way between hosts: carries out a `SliceSchedule`, never waiting.
///
/// ```text
/// start                    the host's subtrees are added up in this slice
/// advanceSum -> true       this host's pieces hold the sum over all shards
/// advancePublish -> true   all hosts have all pieces
/// ```
final class SliceExchange<S: Scalar> {
  private enum Stage { case idle, summing, summed, publishing, sending }

  private let schedule: SliceSchedule
  private let group: any Collectives
  /// By host.
  private let owners: [Int]
  private let tag: Int
  private let firstRequest: Int
  /// The sums of the host's subtrees, `[L]` each.
  private let subtrees: [Block<S>]
  /// nil: numbers travel as they are.
  private let rounded: RoundedSlice<S>?
  private let received: AlignedMemory<S>
  /// By request.
  private var receivedStarts: [Int: Int] = [:]
  private var stage = Stage.idle
  private var step = 0

  /// - Parameters:
  ///   - tag: Of all messages of this slice of this bucket.
  ///   - rounded: The same slice, if it travels rounded.
  init(
    _ schedule: SliceSchedule, owners: [Int], subtrees: [Block<S>], tag: Int,
    rounded: RoundedSlice<S>? = nil, over group: any Collectives
  ) {
    self.rounded = rounded
    self.schedule = schedule
    self.owners = owners
    self.subtrees = subtrees
    self.tag = tag
    self.group = group
    firstRequest = group.reserveSlots(schedule.requestCount).lowerBound
    var count = 0
    for receive in schedule.receives where rounded == nil {
      receivedStarts[receive.request] = count
      count += receive.piece.count
    }
    received = AlignedMemory(count: count)
  }

  func start() throws(CollectivesError) {
    precondition(stage == .idle, "a slice was started in the middle of an exchange")
    for receive in schedule.receives {
      if let rounded {
        try startReceive(rounded.message(ofRequest: receive.request), receive)
      } else {
        try startReceive(receivedBlock(receive.request, receive.piece), receive)
      }
    }
    stage = .summing
    step = 0
  }

  /// Whether this host's pieces are summed.
  func advanceSum() throws(CollectivesError) -> Bool {
    guard stage == .summing else { return true }
    while step < schedule.steps.count {
      guard try take(schedule.steps[step]) else { return false }
      step += 1
    }
    stage = .summed
    return true
  }

  /// Hands this host's pieces out and takes those of the others; true when all are there and on their way.
  ///
  /// - Parameter target: `[L]`; nil: the place of the first subtree, which then holds the whole sum.
  func advancePublish(into target: Block<S>? = nil) throws(CollectivesError) -> Bool {
    let target = target ?? subtrees[0]
    if stage == .summed {
      // Pieces given away may still be on their way out of where others are about to come in.
      guard try areAllSent() else { return false }
      try startPublish(into: target)
    }
    while stage == .publishing {
      guard step < schedule.publishSteps.count else {
        stage = .sending
        break
      }
      guard try take(schedule.publishSteps[step], target) else { return false }
      step += 1
    }
    if stage == .sending, try areAllSent() { stage = .idle }
    return stage == .idle
  }

  private func startPublish(into target: Block<S>) throws(CollectivesError) {
    for kept in schedule.kept {
      if let rounded {
        rounded.finish(kept, into: target)
      } else if kept.subtree != 0 {
        target[kept.piece].copy(from: subtrees[kept.subtree][kept.piece])
      }
    }
    for receive in schedule.publishReceives {
      if let rounded {
        try startReceive(rounded.published(receive.piece), receive)
      } else {
        try startReceive(target[receive.piece], receive)
      }
    }
    stage = .publishing
    step = 0
  }

  /// Whether the step is done.
  private func take(_ next: SliceSchedule.Step) throws(CollectivesError) -> Bool {
    switch next {
    case .send(let subtree, let piece, let host, let request):
      if let rounded {
        try startSend(rounded.pack(subtree: subtree, piece, request: request), to: host, request)
      } else {
        try startSend(subtrees[subtree][piece], to: host, request)
      }
    case .awaitSent(let request): return try group.test(firstRequest + request)
    case .addReceived(let request, let subtree, let piece):
      guard try group.test(firstRequest + request) else { return false }
      if let rounded {
        rounded.addReceived(request: request, subtree: subtree, piece)
      } else {
        accumulate(receivedBlock(request, piece), into: subtrees[subtree][piece])
      }
    case .add(let source, let subtree, let piece):
      accumulate(subtrees[source][piece], into: subtrees[subtree][piece])
    }
    return true
  }

  private func take(
    _ next: SliceSchedule.PublishStep, _ target: Block<S>
  ) throws(CollectivesError) -> Bool {
    switch next {
    case .send(let piece, let host, let request):
      if let rounded {
        try startSend(rounded.published(piece), to: host, request)
      } else {
        try startSend(target[piece], to: host, request)
      }
      return true
    case .awaitReceived(let request):
      guard try group.test(firstRequest + request) else { return false }
      rounded?.unpackPublished(request: request, into: target)
      return true
    }
  }

  private func startSend<Element: BitwiseCopyable>(
    _ block: Block<Element>, to host: Int, _ request: Int
  ) throws(CollectivesError) {
    try group.startSend(block, to: owners[host], tag: tag, slot: firstRequest + request)
  }

  private func startReceive<Element: BitwiseCopyable>(
    _ block: Block<Element>, _ receive: SliceSchedule.Receive
  ) throws(CollectivesError) {
    try group.startReceive(
      block, from: owners[receive.host], tag: tag, slot: firstRequest + receive.request)
  }

  /// Only called where no receive is under way.
  private func areAllSent() throws(CollectivesError) -> Bool {
    for request in 0..<schedule.requestCount {
      guard try group.test(firstRequest + request) else { return false }
    }
    return true
  }

  private func receivedBlock(_ request: Int, _ piece: Range<Int>) -> Block<S> {
    guard let start = receivedStarts[request] else {
      preconditionFailure("request \(request) receives nothing")
    }
    return received.block[start..<start + piece.count]
  }
}
