import Collectives
import DataParallel
import Testing

@Suite("The board of an update")
struct UpdateBoardTests {
  @Test("every rank of a host reads what the others have found in the same step", arguments: 1...3)
  func meeting(perHost: Int) throws {
    let wrong = try ThreadedRank.run(ranks: 5, perHost: perHost) { group in
      guard let board = try UpdateBoard(blocks: 7, over: group) else { return -1 }
      var wrong = 0
      for step in 1...200 {
        for block in 0..<7 where block % board.ranks == board.rank {
          board.squares[block] = Double(step * 10 + block)
        }
        board.meet(at: .measured, step: step)
        for block in 0..<7 where board.squares[block] != Double(step * 10 + block) { wrong += 1 }
        // In a run the sum of the next step keeps ranks from writing what others still read.
        board.meet(at: .updated, step: step)
      }
      return wrong
    }
    #expect(wrong == [0, 0, 0, 0, 0])
  }

  @Test("ranks share it with those of their host only")
  func hosts() throws {
    let places = try ThreadedRank.run(ranks: 5, perHost: 3) { group in
      let board = try UpdateBoard(blocks: 1, over: group)
      board?.squares[0] = Double(group.hostNumbers[group.rank])
      group.barrier()
      return [board?.rank, board?.ranks, board.map { Int($0.squares[0]) }]
    }
    #expect(places == [[0, 3, 0], [1, 3, 0], [2, 3, 0], [0, 2, 1], [1, 2, 1]])
  }

  @Test("a rank alone waits for nobody")
  func alone() {
    let board = UpdateBoard(alone: 3)
    board.meet(at: .measured, step: 1)
    board.meet(at: .prepared, step: 9)
    #expect(board.ranks == 1 && board.squares.count == 3 && board.waiting == .zero)
  }
}
