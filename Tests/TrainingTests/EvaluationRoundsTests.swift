import Testing
import Training

@Suite("Rounds of an evaluation")
struct EvaluationRoundsTests {
  /// All rounds when a pass takes `pass`.
  private func rounds(passes: Int, arePaused: Bool = true, pass: Duration) -> [Range<Int>] {
    var rounds = EvaluationRounds(passes: passes, arePaused: arePaused)
    var result: [Range<Int>] = []
    while let round = rounds.next() {
      result.append(round)
      #expect(rounds.isLast == (round.upperBound == passes))
      if rounds.isFirst { rounds.setPace(pass) }
    }
    return result
  }

  @Test("the first is one pass, the others take a tenth of a second")
  func pace() {
    #expect(rounds(passes: 9, pass: .milliseconds(25)) == [0..<1, 1..<5, 5..<9])
    #expect(rounds(passes: 3, pass: .seconds(2)) == [0..<1, 1..<2, 2..<3])
    #expect(rounds(passes: 70, pass: .zero) == [0..<1, 1..<70])
    #expect(rounds(passes: 1, pass: .zero) == [0..<1])
    #expect(rounds(passes: 0, pass: .zero) == [])
  }

  @Test("without pauses there is one")
  func whole() {
    #expect(rounds(passes: 9, arePaused: false, pass: .zero) == [0..<9])
    #expect(rounds(passes: 1, arePaused: false, pass: .zero) == [0..<1])
  }
}
