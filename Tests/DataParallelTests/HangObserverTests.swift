import DataParallel
import Metrics
import Testing

@Suite("Hang observer")
struct HangObserverTests {
  /// Looks every 100 ms at ranks that work (w), wait (.) or do neither (-), a letter a look, a text a rank.
  private func observe(_ ranks: [String], local: [Int]? = nil) -> HangObserver {
    var observer = HangObserver(
      timeout: .seconds(1), localRanks: local ?? Array(ranks.indices), ranks: ranks.count)
    var progress = ranks.indices.map { rank in
      var start = RankProgress()
      start.pid = Int32(100 + rank)
      start.stage = .training
      return start
    }
    observer.observe(progress, elapsed: .milliseconds(100))
    let letters = ranks.map(Array.init)
    for look in letters[0].indices {
      for rank in ranks.indices {
        if letters[rank][look] == "w" { progress[rank].beats += 1 }
        if letters[rank][look] == "." { progress[rank].waits += 1 }
      }
      observer.observe(progress, elapsed: .milliseconds(100))
    }
    return observer
  }

  private func many(_ letter: String, _ count: Int) -> String {
    String(repeating: letter, count: count)
  }

  @Test("who works or waits for somebody who works is in order")
  func fine() {
    #expect(observe([many("w", 50), many(".", 50)]).finding == nil)
    #expect(observe([many("-", 9) + "w" + many("-", 9), many(".", 19)]).finding == nil)
  }

  @Test("who does neither for as long as the timeout is late, whoever it is")
  func late() {
    #expect(observe(["www" + many("-", 9), "ww." + many(".", 9)]).finding == nil)
    #expect(observe(["www" + many("-", 10), "ww." + many(".", 10)]).finding == .late([0]))
    #expect(observe(["ww." + many(".", 10), "www" + many("-", 10)]).finding == .late([1]))
    #expect(observe(["w" + many("-", 10)]).finding == .late([0]))
    #expect(observe([many("w", 20), many("-", 20), many("-", 20)]).finding == .late([1, 2]))
  }

  @Test("a rank that stopped in the middle of waiting is late")
  func stoppedWhileWaiting() {
    #expect(observe([many(".", 15), many(".", 5) + many("-", 10)]).finding == .late([1]))
  }

  @Test("ranks of other hosts are left to their hosts")
  func remote() {
    #expect(observe([many(".", 50), many("-", 50)], local: [0]).finding == nil)
  }

  @Test("where all wait for each other, nobody is late, and it is found a little later")
  func circle() {
    #expect(observe([many(".", 34), many(".", 34)]).finding == nil)
    #expect(observe([many(".", 36), many(".", 36)]).finding == .circle)
  }

  @Test("at the very end ranks wait inside Open MPI, which does not show")
  func end() {
    var observer = HangObserver(timeout: .seconds(1), localRanks: [0, 1], ranks: 2)
    var progress = [RankProgress(), RankProgress()]
    progress[0].stage = .end
    progress[1].stage = .training
    for _ in 0..<12 { observer.observe(progress, elapsed: .milliseconds(100)) }
    #expect(observer.finding == .late([1]))
  }

  @Test("the sentence says who, where, for how long, and what the others wait for")
  func sentence() {
    var observer = observe([
      many("w", 5) + many(".", 15), many("w", 5) + many("-", 15), many("w", 5) + many(".", 15),
      many("w", 20),
    ])
    var progress = observer.newest.compactMap { $0 }
    for (rank, phase, instruction) in [
      (0, Phase.compute, 1), (1, .data, -1), (2, .compute, 1), (3, .evaluation, -1),
    ] {
      progress[rank].step = 19
      progress[rank].phase = phase
      progress[rank].instruction = instruction
    }
    observer.observe(progress, elapsed: .zero)
    let sentence = HangSentence(
      hosts: ["node1", "node1", "node2", "node2"], timeout: .seconds(300),
      instructions: ["dense [layers.0]", "wait-sum bucket 0"], observer: observer)
    let others =
      "ranks 0 and 2 wait in step 20, compute, wait-sum bucket 0; rank 3 is in the evaluation after step 19"
    #expect(
      shorter(sentence).text(.late([1]), isStopped: { $0 == 101 }) == """
        hang: rank 1 of 4 (node1), pid 101, is stopped in step 20, data, for 1 s; \(others) \
        (failure.hang_timeout_seconds is 1.5)
        """)
    #expect(
      shorter(sentence).text(.late([1]), isStopped: { _ in false }) == """
        hang: rank 1 of 4 (node1), pid 101, has not moved in step 20, data, for 1 s; \(others) \
        (failure.hang_timeout_seconds is 1.5)
        """)
    #expect(
      shorter(sentence).text(silentHost: "node2", for: .seconds(301)) == """
        hang: host node2 (ranks 2 and 3) has not answered for 301 s; rank 2 was last seen in step 20, \
        compute, wait-sum bucket 0; rank 3 was last seen in the evaluation after step 19; \
        rank 0 waits in step 20, compute, wait-sum bucket 0; rank 1 was last seen in step 20, data \
        (failure.hang_timeout_seconds is 1.5)
        """)
  }

  private func shorter(_ sentence: HangSentence) -> HangSentence {
    var sentence = sentence
    sentence.timeout = .milliseconds(1500)
    return sentence
  }
}
