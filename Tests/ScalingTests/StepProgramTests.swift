import Graph
import Plan
import Scaling
import Testing

@Suite("The work of a rank")
struct StepProgramTests {
  @Test("micro-shards of a pass share what a pass costs, and fold within it")
  func passes() throws {
    let dense = LayerSpec(.dense(DenseSpec(units: 8)))
    let loss = LossSpec.softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil)
    let forward = try GraphBuilder.forward(
      ModelSpec(input: [8], layers: [dense]), loss: loss, mode: .training)
    let alone = ExecutionPlan(training: forward, capacity: 4)
    let plan = ExecutionPlan(
      training: forward, capacity: 4,
      options: PlanOptions(shards: 8, passElements: 4 * alone.arena.count))
    #expect(plan.shardsPerPass == 4)
    // A pass of k takes 9 + k for each operation, so 10 alone and 13 / 4 of each in a full one.
    let operations = plan.graph.operations.map { _ in 10.0 }
    let times = RankTimes(
      loadSeconds: 0, operationSeconds: operations, passSeconds: operations.map { _ in 13 / 4 },
      mergeSeconds: 1000, checkSeconds: 0, updateSeconds: 0, sumSecondsPerByte: 0)
    for (shards, passes) in [(1, [1]), (3, [3]), (4, [4]), (5, [4, 1]), (8, [4, 4])] {
      let program = StepProgram(plan, shards: 0..<shards, of: shards, times: times)
      let expected = passes.reduce(0) { $0 + 9 + Double($1) } * Double(operations.count)
      // The last of five goes alone and is folded afterwards.
      let folds = shards == 5 ? 1000.0 : 0
      #expect(isClose(program.computeSeconds, expected + folds), "\(shards) micro-shards")
    }
  }
}
