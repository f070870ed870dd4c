import Engine
import Graph
import Kernels
import Metrics
import Plan
import Storage

/// The loss of a few samples in Double, as a function of the parameters, with kinks held.
///
/// It comes from the forward graph of training without fusion, so that it owes nothing to the backward half under proof.
final class SmoothLoss {
  let plan: ExecutionPlan
  /// Whose parameters are changed to see what the loss does.
  let model: ModelMemory<Double>
  private let engine: ShardEngine<Double>
  private let leaf: AlignedMemory<Double>
  private let samples: VerifySamples
  private let rows: Int
  private var held: [HeldKinks?]
  private let activity: RankActivity

  init(_ material: VerifyMaterial) throws {
    rows = material.size.gradientSamples
    samples = material.samples
    activity = material.activity
    plan = ExecutionPlan(
      inference: try material.forwardGraph(), capacity: rows,
      options: PlanOptions(fusion: false))
    model = ModelMemory(plan)
    engine = material.engine(plan, model)
    leaf = AlignedMemory(count: plan.leaf.count)
    held = plan.graph.operations.map { HeldKinks($0) }
  }

  /// The loss at the parameters as they are, where the kinks are held from now on.
  ///
  /// - Parameter step: Decides the masks of dropout.
  func hold(step: Int) -> Double {
    begin(step)
    for index in plan.graph.operations.indices {
      held[index]?.record(engine, rows: rows)
      engine.run(index)
    }
    return loss
  }

  /// The loss with the kinks where they are held.
  func value(step: Int) -> Double {
    begin(step)
    for (index, kinks) in held.enumerated() {
      if let kinks { kinks.run(engine) } else { engine.run(index) }
    }
    return loss
  }

  /// The loss of a network whose outputs are all 0: of one that knows nothing.
  func valueOfZeroOutputs() -> Double {
    begin(0)
    for (index, operation) in plan.graph.operations.enumerated() {
      if operation.kind.isLoss { engine.block(operation.inputs[0]).fill(0) }
      engine.run(index)
    }
    return loss
  }

  /// Runs once and names the first layer with a number that is not finite.
  func firstNotFinite() -> String? {
    begin(0)
    for (index, operation) in plan.graph.operations.enumerated() {
      engine.run(index)
      let isBad = operation.outputs.contains { firstNonFinite(in: engine.block($0)) != nil }
      if isBad { return "\(operation.layer) (\(operation.kind.name))" }
    }
    return nil
  }

  private func begin(_ step: Int) {
    activity.goOn()
    engine.beginShard(
      rows: rows, batchSize: rows, step: step, firstSample: 0, leaf: leaf.block)
    samples.load(0..<rows, into: engine)
  }

  private var loss: Double {
    plan.leaf.loss.map { leaf.block[$0] / Double(rows) } ?? .nan
  }
}
