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

  private func wholeBatch() -> RunSpec {
    var spec = SmallRun.spec()
    spec.model.layers[1].place = "net.yaml:9:7"
    spec.model.batchNormStatistics = .batch
    return spec
  }

  @Test("statistics of the whole batch take as many ranks as micro-shards")
  func wholeBatchIsFine() throws {
    try checkStatistics(ranks: 4, wholeBatch())
    try checkStatistics(ranks: 2, SmallRun.spec())
  }

  @Test("statistics of the whole batch refuse ranks with several micro-shards")
  func wholeBatchOnFewRanks() throws {
    let fault = try #require(throws: Diagnostic.self) {
      try checkStatistics(ranks: 1, wholeBatch())
    }
    #expect(
      fault.description == """
        net.yaml:9:7: batch_norm takes the statistics of the whole batch, but there is 1 rank for 4 micro-shards
          expected: as many ranks as training.shards, so that all ranks come to this layer together
          to fix:   start 4 ranks, or set training.shards=1, or use statistics: shard
        """)
    let other = try #require(throws: Diagnostic.self) {
      try checkStatistics(ranks: 3, wholeBatch())
    }
    #expect(
      other.remedy
        == "start 4 ranks, or set training.shards=3 and training.batch to a multiple of 3, "
        + "or use statistics: shard")
  }
}
