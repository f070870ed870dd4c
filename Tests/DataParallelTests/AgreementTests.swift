import Collectives
import Diagnostics
import Testing

@Suite("Agreement")
struct AgreementTests {
  static let fault = Diagnostic(place: "a.yaml:3:1", problem: "no data", expected: "some")

  @Test("what succeeds everywhere is returned")
  func success() throws {
    let values = try ThreadedRank.run(ranks: 3) { group in try group.agree { group.rank * 2 } }
    #expect(values == [0, 2, 4])
  }

  @Test("what all ranks say alike is said once, with the exit code of bad input")
  func alike() throws {
    let failures = try ThreadedRank.run(ranks: 3) { group in
      Self.failure { try group.agree { throw Self.fault } }
    }
    let expected = AgreedFailure(message: "a.yaml:3:1: no data\n  expected: some", exitCode: 2)
    #expect(failures == [expected, expected, expected])
  }

  @Test("what one rank says reaches all, behind its name")
  func one() throws {
    let failures = try ThreadedRank.run(ranks: 3) { group in
      Self.failure { try group.agree { if group.rank == 2 { throw Self.fault } } }
    }
    let expected = AgreedFailure(
      message: "rank 2 of 3 (node1): a.yaml:3:1: no data\n  expected: some", exitCode: 2)
    #expect(failures == [expected, expected, expected])
  }

  @Test("a group of one agrees with itself")
  func solo() {
    let failure = Self.failure { try SoloCollectives(hostName: "a").agree { throw Self.fault } }
    #expect(failure == AgreedFailure(Self.fault))
  }

  @Test("hosts are counted in the order of their first rank")
  func hosts() throws {
    let seen = try ThreadedRank.run(ranks: 5) { group in
      "\(group.ranksPerHost) \(group.localRank)/\(group.localRanks) \(group.identity)"
    }
    #expect(
      seen == [
        "[node0: 2, node1: 2, node2: 1] 0/2 rank 0 of 5 (node0)",
        "[node0: 2, node1: 2, node2: 1] 1/2 rank 1 of 5 (node0)",
        "[node0: 2, node1: 2, node2: 1] 0/2 rank 2 of 5 (node1)",
        "[node0: 2, node1: 2, node2: 1] 1/2 rank 3 of 5 (node1)",
        "[node0: 2, node1: 2, node2: 1] 0/1 rank 4 of 5 (node2)",
      ])
  }

  static func failure(_ body: () throws -> Void) -> AgreedFailure? {
    do { try body() } catch { return error as? AgreedFailure }
    return nil
  }
}
