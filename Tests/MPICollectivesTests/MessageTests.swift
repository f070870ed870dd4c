import Collectives
import MPICollectives
import Storage
import Testing

extension DistributedTests {
  @Suite("Messages between ranks", .serialized, .enabled(if: isLaunchedByMPI))
  @MPIThread
  struct MessageTests {
    let group: any Collectives

    init() throws {
      group = try DistributedTests.group()
    }

    @Test("messages go round a ring, small and large", arguments: [0, 3, 500_000])
    func ring(count: Int) throws {
      guard group.ranks > 1 else { return }
      let slots = group.reserveSlots(2)
      let out = AlignedMemory<Float>(count: count)
      let received = AlignedMemory<Float>(count: count)
      defer { withExtendedLifetime((out, received)) {} }
      out.block.fill(Float(group.rank) + 0.5)
      let previous = (group.rank + group.ranks - 1) % group.ranks
      let next = (group.rank + 1) % group.ranks
      try group.startReceive(received.block, from: previous, tag: 4, slot: slots.lowerBound)
      try group.startSend(out.block, to: next, tag: 4, slot: slots.lowerBound + 1)
      try group.wait(slots.lowerBound)
      try group.wait(slots.lowerBound + 1)
      #expect(try group.test(slots.lowerBound))
      #expect(received.block.array.allSatisfy { $0 == Float(previous) + 0.5 })
    }

    @Test("equal tags keep their order, other tags do not mix")
    func order() throws {
      guard group.ranks > 1, group.rank < 2 else { return }
      let slots = group.reserveSlots(3)
      let memory = AlignedMemory<Double>(count: 3)
      defer { withExtendedLifetime(memory) {} }
      let tags = [7, 8, 7]
      for index in 0..<3 {
        let block = memory.block[index..<index + 1]
        let slot = slots.lowerBound + index
        if group.rank == 0 {
          memory.block[index] = Double(index + 1)
          try group.startSend(block, to: 1, tag: tags[index], slot: slot)
        } else {
          try group.startReceive(block, from: 0, tag: tags[index], slot: slot)
        }
      }
      for slot in slots { try group.wait(slot) }
      #expect(memory.block.array == [1, 2, 3])
    }

    @Test("a message that is too long names the call, the rank and the host")
    func truncated() throws {
      guard group.ranks > 1, group.rank < 2 else { return }
      let slot = group.reserveSlots(1).lowerBound
      let memory = AlignedMemory<Float>(count: 4)
      defer { withExtendedLifetime(memory) {} }
      if group.rank == 0 {
        try group.startSend(memory.block, to: 1, tag: 1, slot: slot)
        try group.wait(slot)
      } else {
        try group.startReceive(memory.block.prefix(2), from: 0, tag: 1, slot: slot)
        let expected = CollectivesError(
          call: "MPI_Test", reason: "MPI_ERR_TRUNCATE: message truncated", identity: group.identity)
        #expect(throws: expected) { try group.wait(slot) }
      }
    }
  }
}
