import Collectives
import DataParallel
import Diagnostics
import MPICollectives
import Storage
import Testing

extension DistributedTests {
  @Suite("What all ranks do together", .serialized)
  @MPIThread
  struct TogetherTests {
    let group: any Collectives

    init() throws {
      group = try DistributedTests.group()
    }

    @Test("every rank knows its number, its host and the others'")
    func identity() throws {
      #expect((0..<group.ranks).contains(group.rank))
      #expect(group.hosts.count == group.ranks)
      #expect(group.ranksPerHost.map(\.ranks).reduce(0, +) == group.ranks)
      let numbers = try group.allGather([UInt8(group.rank)])
      #expect(numbers == (0..<group.ranks).map { [UInt8($0)] })
    }

    @Test("the launcher's number of ranks is the group's", .enabled(if: isLaunchedByMPI))
    func launched() {
      #expect(group is MPIWorld)
      #expect(MPIWorld.libraryVersion.hasPrefix("Open MPI v"))
    }

    @Test("broadcast gives the root's bytes, whatever the others had", arguments: [0, 1, 70_000])
    func broadcastBytes(count: Int) throws {
      for root in 0..<group.ranks {
        var bytes = [UInt8](repeating: 1, count: group.rank)
        if group.rank == root { bytes = Self.pattern(root, count: count) }
        try group.broadcast(&bytes, from: root)
        #expect(bytes == Self.pattern(root, count: count))
      }
    }

    @Test("broadcast fills blocks of numbers")
    func broadcastBlock() throws {
      let memory = AlignedMemory<Double>(count: 5)
      defer { withExtendedLifetime(memory) {} }
      let root = group.ranks - 1
      if group.rank == root { memory.block.copy(from: [1, 2.5, -3, .infinity, 0]) }
      try group.broadcast(memory.block[1..<5], from: root)
      #expect(memory.block[1..<5].array == [2.5, -3, .infinity, 0])
    }

    @Test("gather keeps different lengths apart and leaves the others without")
    func gather() throws {
      for root in 0..<group.ranks {
        let own = Self.pattern(group.rank, count: group.rank * 3000)
        let all = try group.gather(own, to: root)
        let expected = (0..<group.ranks).map { Self.pattern($0, count: $0 * 3000) }
        #expect(all == (group.rank == root ? expected : nil))
      }
    }

    @Test("all-gather gives every rank's bytes to all, empty ones included")
    func allGather() throws {
      let all = try group.allGather(Self.pattern(group.rank, count: group.rank % 2 * 5))
      #expect(all == (0..<group.ranks).map { Self.pattern($0, count: $0 % 2 * 5) })
    }

    @Test("the maximum and the vote agree on every rank")
    func agreement() throws {
      #expect(try group.allMaximum(-group.rank) == 0)
      #expect(try group.allMaximum(group.rank << 40) == (group.ranks - 1) << 40)
      #expect(try group.anyRank(group.rank == group.ranks - 1))
      #expect(try !group.anyRank(false))
      try group.barrier()
    }

    @Test("a failure on one rank is thrown on all")
    func agree() throws {
      let last = group.ranks - 1
      #expect(throws: AgreedFailure.self) {
        try group.agree {
          if group.rank == last { throw Diagnostic(place: "here", problem: "none") }
        }
      }
      #expect(try group.agree { 5 } == 5)
    }

    @Test("the audit finds the one rank that differs", .enabled(if: isLaunchedByMPI))
    func audit() throws {
      var hashes = [TensorHash(name: "a", high: 1, low: 2), TensorHash(name: "b", high: 3, low: 4)]
      #expect(try ReplicaAudit.compare(hashes, over: group) == nil)
      guard group.ranks > 1 else { return }
      if group.rank == group.ranks - 1 { hashes[1].high = 9 }
      let found = try ReplicaAudit.compare(hashes, over: group)
      #expect(found?.tensors.map(\.name) == ["b"])
      #expect(found?.cures?[0].source == 0)
    }

    static func pattern(_ rank: Int, count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: rank * 37 + $0 * 11) }
    }
  }
}
