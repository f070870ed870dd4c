import Collectives
import Metrics
import Storage

/// Compares the clocks of all hosts with rank 0's, by messages between rank 0 and the first rank of each
/// host; the ranks of one host share a clock.
package final class HostClocks {
  /// Beyond the tags of any bucket; the least largest tag that MPI allows is 32,767.
  private static let tag = 32_000
  /// Messages there and back; the fastest counts.
  private static let rounds = 16

  private let collectives: any Collectives
  /// The first rank of each host, in the order of the hosts.
  private let leaders: [Int]
  private let slots: Range<Int>
  private let words = AlignedMemory<Int64>(count: 2)

  package init(over collectives: any Collectives) {
    self.collectives = collectives
    leaders = collectives.ranksPerHost.compactMap { collectives.hosts.firstIndex(of: $0.host) }
    slots = collectives.reserveSlots(2)
  }

  /// The lead of every rank's clock, by rank, on rank 0; nothing elsewhere. All ranks call it.
  package func measure() throws(CollectivesError) -> [ClockLine.Point] {
    if collectives.rank != 0 {
      if leaders.contains(collectives.rank) { try answer() }
      return []
    }
    var byHost: [String: ClockLine.Point] = [:]
    for leader in leaders {
      let own = ClockLine.Point(time: .now, lead: .zero, uncertainty: .zero)
      byHost[collectives.hosts[leader]] = leader == 0 ? own : try ask(leader)
    }
    return collectives.hosts.compactMap { byHost[$0] }
  }

  private func ask(_ leader: Int) throws(CollectivesError) -> ClockLine.Point {
    var best: ClockLine.Point?
    for _ in 0..<Self.rounds {
      try startReceive(from: leader)
      let sent = MonotonicInstant.now
      try startSend(to: leader)
      try collectives.wait(slots.lowerBound)
      let returned = MonotonicInstant.now
      try collectives.wait(slots.lowerBound + 1)
      let point = ClockLine.Point(
        sent: sent, answered: MonotonicInstant(nanoseconds: words.block[0]), returned: returned)
      if point.uncertainty < best?.uncertainty ?? .seconds(Int64.max) { best = point }
    }
    guard let best else { preconditionFailure("a clock was asked \(Self.rounds) times") }
    return best
  }

  private func answer() throws(CollectivesError) {
    for _ in 0..<Self.rounds {
      try startReceive(from: 0)
      try collectives.wait(slots.lowerBound)
      words.block[1] = MonotonicInstant.now.nanoseconds
      try startSend(to: 0)
      try collectives.wait(slots.lowerBound + 1)
    }
  }

  private func startReceive(from rank: Int) throws(CollectivesError) {
    try collectives.startReceive(
      words.block[0..<1], from: rank, tag: Self.tag, slot: slots.lowerBound)
  }

  private func startSend(to rank: Int) throws(CollectivesError) {
    try collectives.startSend(
      words.block[1..<2], to: rank, tag: Self.tag, slot: slots.lowerBound + 1)
  }
}
