import Datasets
import Engine
import Graph
import Plan
import Storage

/// A model that learns the next tokens of a text must not see them: another last token changes no earlier output. Where
/// a text is translated, those tokens are the last of a sample's inputs.
struct LookaheadCheck {
  private let material: VerifyMaterial
  private let model: ModelMemory<Float>

  init(_ material: VerifyMaterial, model: ModelMemory<Float>) {
    self.material = material
    self.model = model
  }

  /// - Returns: nil: the data are no text, or the model does not answer each of its tokens.
  func run() -> VerifyFinding? {
    let plan = material.plans.evaluation
    let steps = plan.graph.answers
    let elements = plan.graph[plan.graph.input].elementCount
    let reader = plan.graph.tokenReaders.first { $0.elements == elements - steps..<elements }
    guard material.spec.data.source.isText, steps > 1, let reader else { return nil }
    let sides = (engine(plan), engine(plan))
    for row in 0..<plan.capacity {
      let last = row * elements + elements - 1
      sides.1.input[last] = Float((Int(sides.1.input[last]) + 1) % reader.words)
    }
    for (index, operation) in plan.graph.operations.enumerated() {
      if case .sumLosses = operation.kind { break }
      sides.0.run(index)
      sides.1.run(index)
      if differsBeforeEnd(operation, plan.graph, steps: steps, sides.0, sides.1) {
        return VerifyFinding(
          .lookahead, passed: false,
          "the last of \(steps) tokens, which is to be foretold, changes earlier outputs: first in "
            + "\(operation.layer) (\(operation.kind.name))")
      }
    }
    return VerifyFinding(
      .lookahead, passed: true,
      "another last token changes none of the \(steps - 1) outputs before it")
  }

  private func engine(_ plan: ExecutionPlan) -> ShardEngine<Float> {
    let engine = material.engine(plan, model)
    engine.beginShard(
      rows: plan.capacity, batchSize: plan.capacity, step: 0, firstSample: 0, leaf: nil)
    material.samples.load(0..<plan.capacity, into: engine)
    return engine
  }

  /// Whether two engines differ in what an operation gives for any but the last step.
  private func differsBeforeEnd(
    _ operation: Operation, _ graph: ModelGraph, steps: Int, _ a: ShardEngine<Float>,
    _ b: ShardEngine<Float>
  ) -> Bool {
    let value = operation.outputs[0]
    let count = graph[value].elementCount
    guard graph[value].role.growsWithSamples, count % steps == 0 else { return false }
    if operation.kind.isLoss { return false }
    let width = count / steps
    return (0..<material.plans.evaluation.capacity).contains { row in
      let range = row * count..<row * count + count - width
      return a.block(value)[range].hash128 != b.block(value)[range].hash128
    }
  }
}

extension DataSource {
  /// Whether each step's target is the token after it.
  fileprivate var isText: Bool {
    switch self {
    case .text, .tokens: true
    case .generatedSequences(let spec): spec.kind == .dates
    default: false
    }
  }
}
