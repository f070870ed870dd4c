import Collectives
import DataParallel
import Diagnostics
import Testing

@Suite("Replica audit")
struct ReplicaAuditTests {
  @Test("equal replicas pass")
  func equal() throws {
    let found = try ThreadedRank.run(ranks: 3) { group in
      try ReplicaAudit.compare(Self.hashes(), over: group)
    }
    #expect(found == [nil, nil, nil])
  }

  @Test("a difference names tensor, ranks, hosts and step, alike on every rank")
  func difference() throws {
    let messages = try Self.messages(ranks: 4) { rank, hashes in
      if rank == 2 { hashes[1].low ^= 1 }
    }
    #expect(
      messages
        == Array(
          repeating: """
            step 50: the ranks do not hold the same bits in layers.0.bias: ranks 0 (node0), 1 (node0), \
            3 (node1) against rank 2 (node1)
              expected: the same parameters and optimizer state on every rank after every step
              to fix:   start the same command again to resume from the last checkpoint; if it recurs, \
            check that all hosts run the same binary and test the memory of the host in the minority
            """, count: 4))
  }

  @Test("several differing tensors are counted")
  func several() throws {
    let messages = try Self.messages(ranks: 2) { rank, hashes in
      guard rank == 1 else { return }
      hashes[0].high += 1
      hashes[2].high += 1
    }
    let start =
      "step 50: the ranks do not hold the same bits in layers.0.weight and 1 more of 3 tensors"
    #expect(messages.allSatisfy { $0.hasPrefix(start + ": rank 0 (node0) against rank 1") })
  }

  @Test("swapped hashes are a difference")
  func swapped() throws {
    let messages = try Self.messages(ranks: 2) { rank, hashes in
      if rank == 1 { (hashes[0].low, hashes[1].low) = (hashes[1].low, hashes[0].low) }
    }
    #expect(messages.allSatisfy { $0.hasPrefix("step 50: the ranks do not hold the same bits") })
  }

  @Test(
    "the largest group's bits are kept, rank 0's where there is no largest group",
    arguments: [
      ("AAB", 0, [2]), ("BAA", 1, [0]), ("AB", 0, [1]), ("ABC", 0, [1, 2]),
      ("AABB", 0, [2, 3]), ("ABBCC", 0, [1, 2, 3, 4]), ("ABBBC", 1, [0, 4]),
    ] as [(String, Int, [Int])])
  func majority(bits: String, source: Int, ranks: [Int]) throws {
    let tables = bits.utf8.map {
      [UInt8](repeating: 1, count: 16) + Array(repeating: $0, count: 16)
    }
    let found = Disagreement(names: ["same", "other"], tables: tables)
    #expect(found.cures == [.init(index: 1, source: source, ranks: ranks)])
  }

  @Test("every tensor is decided on by itself")
  func eachTensor() {
    func row(_ first: UInt8, _ second: UInt8) -> [UInt8] {
      Array(repeating: first, count: 16) + Array(repeating: second, count: 16)
    }
    let found = Disagreement(names: ["a", "b"], tables: [row(1, 2), row(0, 1), row(0, 2)])
    #expect(
      found.cures == [
        .init(index: 0, source: 1, ranks: [0]), .init(index: 1, source: 0, ranks: [1]),
      ])
  }

  @Test("ranks that hold other tensors cannot be healed")
  func otherTensors() {
    let found = Disagreement(
      names: ["a"], tables: [Array(repeating: 0, count: 16), Array(repeating: 0, count: 32)])
    #expect(found.cures == nil)
    let message = found.diagnostic(step: 1, hosts: ["x", "y"]).problem
    #expect(
      message
        == "the ranks do not hold the same bits in the list of tensors: rank 0 (x) against rank 1 (y)"
    )
  }

  static func hashes() -> [TensorHash] {
    ["layers.0.weight", "layers.0.bias", "adam.first.layers.0.weight"].enumerated().map {
      TensorHash(name: $1, high: UInt64($0) + 7, low: UInt64($0) + 11)
    }
  }

  /// What every rank finds when each changes its hashes first.
  static func messages(
    ranks: Int, _ change: @escaping @Sendable (Int, inout [TensorHash]) -> Void
  ) throws -> [String] {
    try ThreadedRank.run(ranks: ranks) { group in
      var hashes = Self.hashes()
      change(group.rank, &hashes)
      let found = try ReplicaAudit.compare(hashes, over: group)
      return found.map { "\($0.diagnostic(step: 50, hosts: group.hosts))" } ?? "no difference"
    }
  }
}
