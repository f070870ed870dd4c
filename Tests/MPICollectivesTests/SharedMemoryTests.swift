import Collectives
import MPICollectives
import Storage
import Testing

extension DistributedTests {
  @Suite("Shared memory", .serialized)
  @MPIThread
  struct SharedMemoryTests {
    let group: any Collectives

    init() throws {
      group = try DistributedTests.group()
    }

    @Test("ranks of a host read each other's parts, whose lengths may differ")
    func parts() throws {
      let count = 1_000 + group.rank
      let memory = try #require(try group.shareMemory(Float.self, count: count))
      #expect(memory.parts.map(\.count) == group.localRange.map { 1_000 + $0 })
      #expect(memory.parts.allSatisfy { $0.array.allSatisfy { $0 == 0 } })
      try group.barrier()
      memory.parts[group.localRank].fill(Float(group.rank))
      try group.barrier()
      for (part, rank) in zip(memory.parts, group.localRange) {
        #expect(part.array.allSatisfy { $0 == Float(rank) })
      }
      try group.barrier()
    }

    @Test("a published word brings what was written before it")
    func words() throws {
      let numbers = try #require(try group.shareMemory(Int.self, count: 64))
      let flags = try #require(
        try group.shareMemory(UInt64.self, count: AtomicWords.stride))
      let (own, words) = (group.localRank, flags.parts.map { AtomicWords($0) })
      for round in 1...200 {
        numbers.parts[own].fill(round)
        words[own].publish(UInt64(2 * round - 1), at: 0)
        for other in words.indices { wait(words[other], for: UInt64(2 * round - 1)) }
        #expect(numbers.parts.allSatisfy { $0.array == [Int](repeating: round, count: 64) })
        words[own].publish(UInt64(2 * round), at: 0)
        for other in words.indices { wait(words[other], for: UInt64(2 * round)) }
      }
    }

    private func wait(_ words: AtomicWords, for value: UInt64) {
      var attempt = 0
      while words.read(0) < value {
        group.pause(attempt: attempt)
        attempt += 1
      }
    }

    @Test("what a host has no room for is refused on all ranks")
    func tooLarge() throws {
      #expect(try group.shareMemory(UInt8.self, count: 1 << 50) == nil)
    }

    @Test("ranks of a host are neighbours")
    func numbers() {
      #expect(group.hostNumbers.count == group.ranks)
      #expect(group.hostNumbers.first == 0)
      #expect(
        zip(group.hostNumbers, group.hostNumbers.dropFirst()).allSatisfy { (0...1) ~= $1 - $0 })
      #expect(group.localRange.contains(group.rank))
    }
  }
}
