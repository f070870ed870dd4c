import Collectives
import Foundation
import Storage

/// A group whose ranks are threads of this process: what needs several ranks is tested without MPI.
///
/// A message passes only when both sides have come to it, as large messages do under MPI.
final class ThreadedRank: Collectives {
  let rank: Int
  let hosts: [String]
  let hostNumbers: [Int]
  private let room: Mailroom
  private var slots: [Mailroom.Message?] = []
  /// The bytes of every message that this rank has sent.
  private(set) var sentLengths: [Int] = []

  init(rank: Int, hosts: [String], room: Mailroom) {
    self.rank = rank
    self.hosts = hosts
    hostNumbers = hosts.indices.map { rank in Set(hosts[...rank]).count - 1 }
    self.room = room
  }

  /// Runs `body` as every rank at once and returns what each returned, by rank.
  static func run<Result: Sendable>(
    ranks: Int, perHost: Int = 2, _ body: @escaping @Sendable (ThreadedRank) throws -> Result
  ) throws -> [Result] {
    let room = Mailroom(ranks: ranks)
    let board = ResultBoard<Result>(ranks: ranks)
    let hosts = (0..<ranks).map { "node\($0 / perHost)" }
    for rank in 0..<ranks {
      Thread.detachNewThread {
        let group = ThreadedRank(rank: rank, hosts: hosts, room: room)
        board.put(Swift.Result { try body(group) }, at: rank)
      }
    }
    return try board.wait().map { try $0.get() }
  }

  var ranks: Int { hosts.count }

  func barrier() { _ = allGather([]) }

  func broadcast(_ bytes: inout [UInt8], from root: Int) { bytes = allGather(bytes)[root] }

  func broadcast<Element: BitwiseCopyable>(_ block: Block<Element>, from root: Int) {
    let all = allGather(Array(bytes(block)))
    bytes(block).copyBytes(from: all[root])
  }

  func gather(_ bytes: [UInt8], to root: Int) -> [[UInt8]]? {
    let all = allGather(bytes)
    return rank == root ? all : nil
  }

  func allGather(_ bytes: [UInt8]) -> [[UInt8]] { room.allGather(bytes, rank: rank) }

  func allMaximum(_ value: Int) -> Int {
    allGather(Array("\(value)".utf8)).compactMap { Int(String(decoding: $0, as: UTF8.self)) }.max()
      ?? 0
  }

  func shareMemory<Element: BitwiseCopyable>(
    _ type: Element.Type, count: Int
  ) -> SharedMemory<Element>? {
    let own = AlignedMemory<Element>(count: count)
    let addresses = allGather(Array("\(UInt(bitPattern: own.block.base)) \(count)".utf8))
    room.keep(own)
    let parts = addresses[localRange].compactMap { text -> Block<Element>? in
      let words = String(decoding: text, as: UTF8.self).split(separator: " ").compactMap {
        UInt($0)
      }
      return UnsafeMutablePointer<Element>(bitPattern: words[0]).map {
        Block(base: $0, count: Int(words[1]))
      }
    }
    return SharedMemory(parts: parts, owner: room)
  }

  func reserveSlots(_ count: Int) -> Range<Int> {
    slots += [Mailroom.Message?](repeating: nil, count: count)
    return slots.count - count..<slots.count
  }

  func startSend<Element: BitwiseCopyable>(
    _ block: Block<Element>, to other: Int, tag: Int, slot: Int
  ) {
    precondition(slots[slot] == nil, "slot \(slot) is in use")
    sentLengths.append(bytes(block).count)
    slots[slot] = room.post(bytes(block), from: rank, to: other, tag: tag, isSend: true)
  }

  func startReceive<Element: BitwiseCopyable>(
    _ block: Block<Element>, from other: Int, tag: Int, slot: Int
  ) {
    precondition(slots[slot] == nil, "slot \(slot) is in use")
    slots[slot] = room.post(bytes(block), from: other, to: rank, tag: tag, isSend: false)
  }

  func test(_ slot: Int) -> Bool {
    guard let message = slots[slot] else { return true }
    guard room.isDone(message) else { return false }
    slots[slot] = nil
    return true
  }

  func wait(_ slot: Int) {
    while !test(slot) { pause(attempt: 0) }
  }

  var onPause: (() -> Void)?

  func pause(attempt: Int) {
    onPause?()
    sched_yield()
  }

  func finish() {}

  func abort(exitCode: Int32) -> Never { preconditionFailure("rank \(rank) aborts") }

  private func bytes<Element>(_ block: Block<Element>) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(start: block.base, count: block.count))
  }
}

/// Where the threads meet. Every member is guarded by `condition`.
final class Mailroom: @unchecked Sendable {
  final class Message {
    let bytes: UnsafeMutableRawBufferPointer
    var isDone = false
    init(bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }
  }

  private struct Lane: Hashable {
    var from: Int
    var to: Int
    var tag: Int
    var isSend: Bool
  }

  private let condition = NSCondition()
  private var lanes: [Lane: [Message]] = [:]
  private var contributions: [[UInt8]?]
  private var gathered: [[UInt8]] = []
  private var round = 0

  private var kept: [AnyObject] = []

  /// Keeps memory that other ranks read until the last of them has gone.
  func keep(_ memory: AnyObject) {
    condition.lock()
    kept.append(memory)
    condition.unlock()
  }

  init(ranks: Int) {
    contributions = Array(repeating: nil, count: ranks)
  }

  func allGather(_ bytes: [UInt8], rank: Int) -> [[UInt8]] {
    condition.lock()
    defer { condition.unlock() }
    let ownRound = round
    contributions[rank] = bytes
    let all = contributions.compactMap { $0 }
    if all.count == contributions.count {
      gathered = all
      contributions = Array(repeating: nil, count: all.count)
      round += 1
      condition.broadcast()
    }
    while round == ownRound { condition.wait() }
    return gathered
  }

  func post(
    _ bytes: UnsafeMutableRawBufferPointer, from: Int, to: Int, tag: Int, isSend: Bool
  ) -> Message {
    condition.lock()
    defer { condition.unlock() }
    let message = Message(bytes: bytes)
    let own = Lane(from: from, to: to, tag: tag, isSend: isSend)
    let other = Lane(from: from, to: to, tag: tag, isSend: !isSend)
    guard let partner = lanes[other]?.first else {
      lanes[own, default: []].append(message)
      return message
    }
    lanes[other]?.removeFirst()
    let (source, target) = isSend ? (message, partner) : (partner, message)
    precondition(source.bytes.count == target.bytes.count, "lengths differ with tag \(tag)")
    target.bytes.copyMemory(from: UnsafeRawBufferPointer(source.bytes))
    (source.isDone, target.isDone) = (true, true)
    return message
  }

  func isDone(_ message: Message) -> Bool {
    condition.lock()
    defer { condition.unlock() }
    return message.isDone
  }
}

/// Collects what the threads return.
private final class ResultBoard<Value: Sendable>: @unchecked Sendable {
  private let condition = NSCondition()
  private var results: [Result<Value, any Error>?]

  init(ranks: Int) {
    results = Array(repeating: nil, count: ranks)
  }

  func put(_ result: Result<Value, any Error>, at rank: Int) {
    condition.lock()
    results[rank] = result
    condition.broadcast()
    condition.unlock()
  }

  func wait() -> [Result<Value, any Error>] {
    condition.lock()
    defer { condition.unlock() }
    while results.contains(where: { $0 == nil }) { condition.wait() }
    return results.compactMap { $0 }
  }
}
