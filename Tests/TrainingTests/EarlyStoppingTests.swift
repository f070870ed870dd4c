import Testing
import Training

@Suite("Early stopping")
struct EarlyStoppingTests {
  private func decisions(
    _ metrics: [Double], patience: Int, minimumDelta: Double = 0, better: BetterMetric = .higher
  ) -> [EarlyStoppingDecision] {
    var spec = EarlyStoppingSpec(patience: patience)
    spec.minimumDelta = minimumDelta
    var stopping = EarlyStopping(spec: spec, better: better)
    return metrics.map { stopping.decide(on: $0) }
  }

  @Test("stops after as many evaluations without a better metric as patience says")
  func patience() {
    #expect(
      decisions([0.5, 0.6, 0.6, 0.55, 0.7, 0.6, 0.6, 0.6], patience: 3) == [
        .keepAsBest, .keepAsBest, .goOn, .goOn, .keepAsBest, .goOn, .goOn, .stop,
      ])
  }

  @Test("a patience of one stops at the first evaluation that is not better")
  func shortestPatience() {
    #expect(decisions([0.5, 0.5], patience: 1) == [.keepAsBest, .stop])
  }

  @Test("an improvement must exceed the minimum")
  func minimumDelta() {
    #expect(
      decisions([0.5, 0.75, 1.0625], patience: 9, minimumDelta: 0.25)
        == [.keepAsBest, .goOn, .keepAsBest])
  }

  @Test("a loss gets better downwards")
  func lower() {
    #expect(
      decisions([2, 3, 1.5, 1], patience: 2, minimumDelta: 0.75, better: .lower)
        == [.keepAsBest, .goOn, .stop, .keepAsBest])
  }

  @Test("a metric that is not a number is never the best")
  func notANumber() {
    #expect(decisions([.nan, 0.1, .nan], patience: 2) == [.goOn, .keepAsBest, .goOn])
  }

  @Test("continues from what a checkpoint kept")
  func resume() {
    let spec = EarlyStoppingSpec(patience: 3)
    var straight = EarlyStopping(spec: spec, better: .higher)
    for metric in [0.5, 0.4] { _ = straight.decide(on: metric) }
    var resumed = EarlyStopping(
      spec: spec, better: .higher, best: straight.best,
      evaluationsSinceBest: straight.evaluationsSinceBest)
    #expect(resumed == straight)
    #expect([0.45, 0.45].map { resumed.decide(on: $0) } == [.goOn, .stop])
  }
}
