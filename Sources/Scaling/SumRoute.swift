import DataParallel

/// What the owner of one slice of a bucket does until every rank has the sum, stage by stage: read off
/// `HostSum` and `SliceSchedule`, which a run follows.
package struct SumRoute: Equatable, Sendable {
  package enum Stage: Equatable, Sendable {
    /// Adding up, in bytes read and written.
    case add(byteCount: Int)
    case send(toHost: Int, byteCount: Int, phase: Phase)
    case receive(fromHost: Int, byteCount: Int, phase: Phase)
    /// Everything that was sent has left.
    case settle(phase: Phase)
    /// The other owners' slices are there when they have said so.
    case publish
  }

  /// On the way to the sums, or on the way back.
  package enum Phase: Int, Equatable, Sendable {
    case sum, publish
  }

  package private(set) var stages: [Stage] = []

  init(_ layout: HostLayout, host: Int, sum: HostSum, slice: Int, bucket: Range<Int>) {
    let elements = layout.elements(ofSlice: slice, in: bucket)
    append(.add(byteCount: sum.touchedPlaces * bytes(elements)))
    if layout.hosts.count > 1 {
      let schedule = SliceSchedule(layout, host: host, slice: slice, elements: elements)
      let receives = Dictionary(
        uniqueKeysWithValues: schedule.receives.map { ($0.request, $0) })
      for step in schedule.steps { append(step, receives) }
      append(.settle(phase: .sum))
      let published = Dictionary(
        uniqueKeysWithValues: schedule.publishReceives.map { ($0.request, $0) })
      for step in schedule.publishSteps { append(step, published) }
      append(.settle(phase: .publish))
    }
    if layout.hosts[host].count > 1 { append(.publish) }
  }

  private mutating func append(_ step: SliceSchedule.Step, _ receives: [Int: SliceSchedule.Receive])
  {
    switch step {
    case .send(_, let piece, let host, _):
      append(.send(toHost: host, byteCount: bytes(piece), phase: .sum))
    case .addReceived(let request, _, let piece):
      guard let receive = receives[request] else { return }
      append(.receive(fromHost: receive.host, byteCount: bytes(piece), phase: .sum))
      append(.add(byteCount: 3 * bytes(piece)))
    case .add(_, _, let piece): append(.add(byteCount: 3 * bytes(piece)))
    }
  }

  private mutating func append(
    _ step: SliceSchedule.PublishStep, _ receives: [Int: SliceSchedule.Receive]
  ) {
    switch step {
    case .send(let piece, let host, _):
      append(.send(toHost: host, byteCount: bytes(piece), phase: .publish))
    case .awaitReceived(let request):
      guard let receive = receives[request] else { return }
      append(
        .receive(fromHost: receive.host, byteCount: bytes(receive.piece), phase: .publish))
    }
  }

  private mutating func append(_ stage: Stage) {
    if stage != .add(byteCount: 0) { stages.append(stage) }
  }
}

extension SumRoute {
  /// The routes of all buckets for the first owner on a host, which stands for the host's others.
  package static func ofBuckets(
    _ buckets: [Range<Int>], _ layout: HostLayout, host: Int
  ) -> [SumRoute] {
    let sum = HostSum(layout, host: host)
    return buckets.map { SumRoute(layout, host: host, sum: sum, slice: 0, bucket: $0) }
  }

  /// The host that sends and receives most when a bucket is summed; the first of several.
  package static func busiestHost(_ layout: HostLayout, bucket: Range<Int>) -> Int {
    let counts = layout.hosts.indices.map { host in
      let route = ofBuckets([bucket], layout, host: host)[0]
      return route.sentBytes + route.receivedBytes
    }
    return counts.firstIndex(of: counts.max() ?? 0) ?? 0
  }

  /// Bytes read and written in memory.
  package var addedBytes: Int {
    stages.reduce(0) { if case .add(let bytes) = $1 { $0 + bytes } else { $0 } }
  }

  package var sentBytes: Int {
    stages.reduce(0) { if case .send(_, let bytes, _) = $1 { $0 + bytes } else { $0 } }
  }

  package var receivedBytes: Int {
    stages.reduce(0) { if case .receive(_, let bytes, _) = $1 { $0 + bytes } else { $0 } }
  }

  /// Received on the way to the sums, into memory of its own.
  package var receivedSumBytes: Int {
    stages.reduce(0) { if case .receive(_, let bytes, .sum) = $1 { $0 + bytes } else { $0 } }
  }

  /// Messages sent.
  package var messageCount: Int { stages.count { if case .send = $0 { true } else { false } } }
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

private func bytes(_ elements: Range<Int>) -> Int { elements.count * MemoryLayout<Float>.stride }
