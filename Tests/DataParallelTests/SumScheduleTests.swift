import DataParallel
import Testing

@Suite("Sum schedules")
struct SumScheduleTests {
  @Test("all ranks end with the tree's sum, for every rank count and root", arguments: 1...16)
  func everyRankCount(shards: Int) {
    for ranks in 1...shards {
      for root in 0..<ranks {
        var ranksAtWork = RanksAtWork(ranks: ranks, shards: shards, root: root)
        let results = ranksAtWork.run()
        let expected = [Expression?](repeating: .tree(0..<shards), count: ranks)
        #expect(results == expected, "\(ranks) ranks, root \(root)")
      }
    }
  }

  @Test("one rank sends nothing")
  func alone() {
    let schedule = SumSchedule(rank: 0, ranks: 1, shards: 8, root: 0)
    #expect(schedule.steps.isEmpty)
    #expect(schedule.receives.isEmpty)
  }

  @Test("two ranks exchange two messages")
  func pair() {
    let root = SumSchedule(rank: 0, ranks: 2, shards: 8, root: 0)
    #expect(root.receives.map { [$0.rank, $0.slot] } == [[1, 1]])
    #expect(
      root.steps == [
        .addReceived(request: 0, slot: 1, into: 0), .send(slot: 0, to: 1, request: 1),
        .wait(request: 1),
      ])
    let other = SumSchedule(rank: 1, ranks: 2, shards: 8, root: 0)
    #expect(
      other.steps == [
        .send(slot: 0, to: 0, request: 0), .wait(request: 0), .receiveSum(from: 0, request: 1),
      ])
  }
}

/// All ranks of a group in one loop. A message passes when sender and receiver both have come to it, as
/// large messages do; each buffer in use is guarded.
private struct RanksAtWork {
  struct Message {
    var rank: Int
    var request: Int
    var slot: Int
  }

  struct Lane: Hashable {
    var from: Int
    var to: Int
  }

  var schedules: [SumSchedule]
  var slots: [[Expression?]]
  /// Slots that an unfinished message reads or writes.
  var locked: [Set<Int>]
  var step: [Int]
  var isUnderWay: [Bool]
  var done: [Set<Int>]
  var sends: [Lane: [Message]] = [:]
  var receives: [Lane: [Message]] = [:]

  init(ranks: Int, shards: Int, root: Int) {
    schedules = (0..<ranks).map {
      SumSchedule(rank: $0, ranks: ranks, shards: shards, root: root)
    }
    slots = schedules.enumerated().map { rank, schedule in
      let range = ShardRange.shards(ofRank: rank, of: ranks, shards: shards)
      let values: [Expression?] = LocalSumTests.run(LocalSum(shards: range, of: shards))
      return values
        + [Expression?](repeating: nil, count: max(0, schedule.slotCount - values.count))
    }
    locked = Array(repeating: [], count: ranks)
    step = Array(repeating: 0, count: ranks)
    isUnderWay = Array(repeating: false, count: ranks)
    done = Array(repeating: [], count: ranks)
  }

  mutating func run() -> [Expression?] {
    for rank in schedules.indices {
      for (request, receive) in schedules[rank].receives.enumerated() {
        precondition(slots[rank][receive.slot] == nil, "rank \(rank) receives into a value")
        startReceive(rank, from: receive.rank, slot: receive.slot, request: request)
      }
    }
    var moved = true
    while moved {
      moved = schedules.indices.map { advance($0) }.contains(true)
      deliver()
    }
    return schedules.indices.map { step[$0] == schedules[$0].steps.count ? slots[$0][0] : nil }
  }

  /// Whether the rank took a step.
  mutating func advance(_ rank: Int) -> Bool {
    var moved = false
    while step[rank] < schedules[rank].steps.count {
      let was = isUnderWay[rank]
      guard take(schedules[rank].steps[step[rank]], rank) else {
        return moved || was != isUnderWay[rank]
      }
      step[rank] += 1
      isUnderWay[rank] = false
      moved = true
    }
    return moved
  }

  mutating func take(_ next: SumSchedule.Step, _ rank: Int) -> Bool {
    switch next {
    case .addReceived(let request, let slot, let target):
      guard done[rank].contains(request) else { return false }
      add(rank, slot, target)
    case .add(let slot, let target):
      add(rank, slot, target)
    case .send(let slot, let other, let request):
      locked[rank].insert(slot)
      sends[Lane(from: rank, to: other), default: []].append(
        Message(rank: rank, request: request, slot: slot))
    case .receiveSum(let other, let request):
      if !isUnderWay[rank] {
        startReceive(rank, from: other, slot: 0, request: request)
        isUnderWay[rank] = true
      }
      return done[rank].contains(request)
    case .wait(let request):
      return done[rank].contains(request)
    }
    return true
  }

  mutating func add(_ rank: Int, _ slot: Int, _ target: Int) {
    precondition(!locked[rank].contains(slot) && !locked[rank].contains(target), "rank \(rank)")
    guard let source = slots[rank][slot], let sum = slots[rank][target] else {
      preconditionFailure("rank \(rank) adds an empty slot")
    }
    slots[rank][target] = sum + source
    slots[rank][slot] = nil
  }

  mutating func startReceive(_ rank: Int, from other: Int, slot: Int, request: Int) {
    precondition(!locked[rank].contains(slot), "rank \(rank) receives into a slot in use")
    locked[rank].insert(slot)
    receives[Lane(from: other, to: rank), default: []].append(
      Message(rank: rank, request: request, slot: slot))
  }

  mutating func deliver() {
    for lane in sends.keys {
      while let send = sends[lane]?.first, let receive = receives[lane]?.first {
        sends[lane]?.removeFirst()
        receives[lane]?.removeFirst()
        slots[receive.rank][receive.slot] = slots[send.rank][send.slot]
        locked[send.rank].remove(send.slot)
        locked[receive.rank].remove(receive.slot)
        done[send.rank].insert(send.request)
        done[receive.rank].insert(receive.request)
      }
    }
  }
}
