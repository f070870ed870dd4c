import Testing
import Training

@Suite("When to save")
struct CheckpointKeeperTests {
  @Test("saves that take long are farther apart")
  func interval() {
    var spec = CheckpointSpec()
    spec.everySeconds = 30
    #expect(CheckpointKeeper.interval(spec, longestSave: .zero) == .seconds(30))
    #expect(CheckpointKeeper.interval(spec, longestSave: .seconds(7)) == .seconds(30))
    #expect(CheckpointKeeper.interval(spec, longestSave: .seconds(20)) == .seconds(80))
  }
}
