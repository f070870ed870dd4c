import Diagnostics
import Testing
import Training

@Suite("Rank count")
struct RankCountTests {
  @Test("as many ranks as micro-shards are fine", arguments: [1, 3, 4])
  func fine(ranks: Int) throws {
    try checkRanks(ranks, SmallRun.spec())
  }

  @Test("more ranks than micro-shards are refused")
  func tooMany() throws {
    let fault = try #require(throws: Diagnostic.self) { try checkRanks(5, SmallRun.spec()) }
    #expect(
      fault.description == """
        launch: 5 ranks for 4 micro-shards
          expected: at most as many ranks as training.shards, so that every rank has work
          to fix:   start 4 ranks or fewer, or set training.shards to 5 or more (a divisor of training.batch = 16); other shards give other bits
        """)
  }
}
