/// Who a rank is, in the words that stand in front of everything it says: `rank 1 of 4 (node7)`.
package struct RankIdentity: Equatable, Sendable, CustomStringConvertible {
  package var rank: Int
  package var ranks: Int
  package var host: String

  package init(rank: Int, ranks: Int, host: String) {
    self.rank = rank
    self.ranks = ranks
    self.host = host
  }

  package var description: String { "rank \(rank) of \(ranks) (\(host))" }
}
