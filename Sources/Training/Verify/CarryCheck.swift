import Engine
import Graph
import Plan
import Storage

/// Layers that carry their states: a window goes on where the window before it ended, so that two in a row give what one of
/// twice the length gives.
struct CarryCheck {
  private let material: VerifyMaterial
  private let model: ModelMemory<Float>

  init(_ material: VerifyMaterial, model: ModelMemory<Float>) {
    self.material = material
    self.model = model
  }

  /// - Returns: nil: no layer carries a state.
  func run() -> VerifyFinding? {
    let plan = material.plans.evaluation
    guard !plan.graph.states.isEmpty else { return nil }
    let rows = plan.capacity
    let engine = material.engine(plan, model)
    let first = outputs(engine, 0..<rows)
    engine.advanceStates()
    let second = outputs(engine, rows..<2 * rows)
    engine.states?.reset()
    guard second.values != outputs(engine, rows..<2 * rows).values else {
      return VerifyFinding(
        .carry, passed: false,
        "what a window leaves behind changes nothing in the window after it")
    }
    guard let whole = outputsOfOneWindow(first.inputs, second.inputs) else {
      return VerifyFinding(
        .carry, passed: true,
        "what a window leaves behind changes the window after it (the model knows no longer windows to compare with)"
      )
    }
    let isEqual = (0..<rows).allSatisfy { row in
      whole[row] == first.values[row] + second.values[row] || whole[row] == second.values[row]
    }
    return VerifyFinding(
      .carry, passed: isEqual,
      isEqual
        ? "two windows in a row give the bits of one window of twice the length; from zeros the second gives others"
        : "two windows in a row give other numbers than one window of twice the length")
  }

  /// Inputs and outputs of samples, row by row.
  private func outputs(
    _ engine: ShardEngine<Float>, _ samples: Range<Int>
  ) -> (inputs: [[Float]], values: [[Float]]) {
    begin(engine, rows: samples.count)
    material.samples.load(samples, into: engine, bringsStates: false)
    let inputs = rows(of: engine.input, count: samples.count)
    engine.runInference()
    return (inputs, rows(of: engine.output, count: samples.count))
  }

  /// The outputs for windows that consist of two each; nil: the model has other parameters for such a length, or none.
  private func outputsOfOneWindow(_ first: [[Float]], _ second: [[Float]]) -> [[Float]]? {
    var spec = material.spec
    guard spec.model.inputs.isEmpty, let steps = spec.model.input.first else { return nil }
    spec.model.input[0] = 2 * steps
    guard let graph = try? spec.forwardGraph(.evaluation),
      graph.parameters == material.plans.evaluation.graph.parameters
    else { return nil }
    let engine = material.engine(
      ExecutionPlan(inference: graph, capacity: first.count), model)
    begin(engine, rows: first.count)
    engine.input.copy(from: zip(first, second).flatMap { $0 + $1 })
    engine.runInference()
    return rows(of: engine.output, count: first.count)
  }

  private func begin(_ engine: ShardEngine<Float>, rows: Int) {
    engine.beginShard(rows: rows, batchSize: rows, step: 0, firstSample: 0, leaf: nil)
  }

  private func rows(of block: Block<Float>, count: Int) -> [[Float]] {
    let width = block.count / count
    return (0..<count).map { block[$0 * width..<($0 + 1) * width].array }
  }
}
