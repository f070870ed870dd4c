import Collectives
import Metrics
import Storage

/// Tells the first ranks of all hosts every second or so what the ranks of their hosts do.
///
/// Only the first rank of a host has one, and only where there are several hosts. Messages are small and
/// travel by themselves; they are looked after by the thread that works, whenever it says what it does or
/// waits: a host that answers no more is therefore dead or stuck.
final class HostRelay: ProgressSink {
  private struct Peer {
    let host: String
    let ranks: [Int]
    let sendSlot: Int
    let receiveSlot: Int
    let received: AlignedMemory<UInt64>
    var hasLeft = false
  }

  /// Milliseconds without a message, by host; read by the watching thread.
  let silences: RelaxedWords
  /// Set by the watching thread when it is time for the next message.
  let due = RelaxedWords(count: 1)
  let hosts: [String]

  private static let tag = 30_000
  private static let leaving: UInt64 = 1

  private let board: ProgressBoard
  private let group: any Collectives
  private var peers: [Peer] = []
  private let message: AlignedMemory<UInt64>
  private var newestPump = MonotonicInstant.now
  private var isPumping = false

  /// All ranks know the same `group.hosts`, so all first ranks set out alike.
  ///
  /// - Returns: Nil on ranks that have no part in it.
  init?(_ board: ProgressBoard, over group: any Collectives) throws(CollectivesError) {
    let others = group.ranksPerHost.map(\.host).filter { $0 != group.hostName }
    guard !others.isEmpty, group.localRank == 0 else { return nil }
    self.board = board
    self.group = group
    hosts = others
    silences = RelaxedWords(count: others.count)
    // The first word says whether the sender leaves; its ranks follow.
    let most = group.ranksPerHost.map(\.ranks).max() ?? 0
    let count = 1 + most * RankProgress.wordCount
    message = AlignedMemory(count: count)
    let slots = group.reserveSlots(2 * others.count)
    for (index, host) in others.enumerated() {
      let peer = Peer(
        host: host, ranks: group.hosts.indices.filter { group.hosts[$0] == host },
        sendSlot: slots.lowerBound + 2 * index, receiveSlot: slots.lowerBound + 2 * index + 1,
        received: AlignedMemory(count: count))
      peers.append(peer)
      try startReceive(from: peer)
    }
  }

  func note(step: Int, phase: Phase, instruction: Int) {
    board.note(step: step, phase: phase, instruction: instruction)
    pumpIfDue()
  }

  /// Takes in what has come, and sends when it is time. What fails here fails again where it is looked at.
  func pumpIfDue() {
    guard due.load(0) != 0, !isPumping else { return }
    isPumping = true
    defer { isPumping = false }
    due.store(0, at: 0)
    try? pump()
  }

  /// Parts from the other first ranks, so that no message is left on its way.
  func close() throws(CollectivesError) {
    isPumping = true
    for peer in peers {
      try group.wait(peer.sendSlot)
    }
    message.block[0] = Self.leaving
    for peer in peers {
      try group.startSend(
        message.block, to: peer.ranks[0], tag: Self.tag, slot: peer.sendSlot)
    }
    for index in peers.indices {
      try group.wait(peers[index].sendSlot)
      while !peers[index].hasLeft {
        try group.wait(peers[index].receiveSlot)
        try takeIn(index)
      }
    }
  }

  private func pump() throws(CollectivesError) {
    let now = MonotonicInstant.now
    // A long pause in between says nothing about the others.
    let elapsed = min(now - newestPump, .seconds(2))
    newestPump = now
    for index in peers.indices where !peers[index].hasLeft {
      let silence = silences.load(index) + UInt64(elapsed.wholeNanoseconds / 1_000_000)
      silences.store(silence, at: index)
      while !peers[index].hasLeft, try group.test(peers[index].receiveSlot) {
        try takeIn(index)
      }
    }
    try send()
  }

  private func send() throws(CollectivesError) {
    // One block serves all: it may change only when nobody sends it any more.
    for peer in peers {
      guard try group.test(peer.sendSlot) else { return }
    }
    message.block[0] = 0
    board.copyLocal(into: RelaxedWords(message.block), from: 1)
    for peer in peers where !peer.hasLeft {
      try group.startSend(message.block, to: peer.ranks[0], tag: Self.tag, slot: peer.sendSlot)
    }
  }

  private func takeIn(_ index: Int) throws(CollectivesError) {
    silences.store(0, at: index)
    let peer = peers[index]
    guard peer.received.block[0] != Self.leaving else {
      peers[index].hasLeft = true
      return
    }
    board.publish(RelaxedWords(peer.received.block), from: 1, of: peer.ranks)
    try startReceive(from: peer)
  }

  private func startReceive(from peer: Peer) throws(CollectivesError) {
    try group.startReceive(
      peer.received.block, from: peer.ranks[0], tag: Self.tag, slot: peer.receiveSlot)
  }
}
