import Collectives
import DataParallel
import Testing

@Suite("Replica audit")
struct ReplicaAuditTests {
  @Test("equal replicas pass")
  func equal() throws {
    _ = try ThreadedRank.run(ranks: 3) { group in
      try ReplicaAudit.check(Self.hashes(), step: 50, over: group)
    }
  }

  @Test("a difference names tensor, ranks, hosts and step, alike on every rank")
  func difference() throws {
    let messages = try ThreadedRank.run(ranks: 4) { group in
      var hashes = Self.hashes()
      if group.rank == 2 { hashes[1].low ^= 1 }
      return Self.message { try ReplicaAudit.check(hashes, step: 50, over: group) }
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
    let messages = try ThreadedRank.run(ranks: 2) { group in
      var hashes = Self.hashes()
      if group.rank == 1 {
        hashes[0].high += 1
        hashes[2].high += 1
      }
      return Self.message { try ReplicaAudit.check(hashes, step: 0, over: group) }
    }
    let start =
      "step 0: the ranks do not hold the same bits in layers.0.weight and 1 more of 3 tensors"
    #expect(messages.allSatisfy { $0.hasPrefix(start + ": rank 0 (node0) against rank 1") })
  }

  @Test("swapped hashes are a difference")
  func swapped() throws {
    let messages = try ThreadedRank.run(ranks: 2) { group in
      var hashes = Self.hashes()
      if group.rank == 1 { (hashes[0].low, hashes[1].low) = (hashes[1].low, hashes[0].low) }
      return Self.message { try ReplicaAudit.check(hashes, step: 0, over: group) }
    }
    #expect(messages.allSatisfy { $0.hasPrefix("step 0: the ranks do not hold the same bits") })
  }

  static func hashes() -> [TensorHash] {
    ["layers.0.weight", "layers.0.bias", "adam.first.layers.0.weight"].enumerated().map {
      TensorHash(name: $1, high: UInt64($0) + 7, low: UInt64($0) + 11)
    }
  }

  static func message(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return "no error"
  }
}
