import Testing
import Training

/// Steps that a rank takes alone, where it is alone anyway; several ranks: `CommandTests`.
@Suite("Local steps of one rank")
struct OneRankLocalStepsTests {
  private func spec(_ localSteps: Int) -> RunSpec {
    var spec = SmallRun.spec()
    spec.training.localSteps = localSteps
    spec.training.emaDecay = 0.9
    return spec
  }

  @Test("any number of them gives the bits of none", arguments: [2, 3, 11, 100])
  func sameBits(localSteps: Int) throws {
    let plain = try SmallRun(spec(1))
    let expected = plain.replica()
    try plain.train(expected)
    let local = try SmallRun(spec(localSteps))
    let replica = local.replica()
    try local.train(replica)
    #expect(replica.bits == expected.bits)
    #expect(replica.counters.step == expected.counters.step)
  }

  @Test(
    "max_steps ends the run when the ranks agree next",
    arguments: [(1, 5), (4, 8), (9, 9), (100, 11)])
  func maxSteps(limits: (localSteps: Int, end: Int)) throws {
    var spec = spec(limits.localSteps)
    spec.training.maxSteps = 5
    let run = try SmallRun(spec)
    let replica = run.replica()
    try run.train(replica)
    #expect(replica.counters.step == limits.end)
  }
}
