import Engine
import Foundation
import Graph
import Kernels
import Plan
import Storage

/// A planned network in Double with parameters, inputs and targets that are smooth functions of their
/// index, so that every test computes on the same numbers.
struct SmallNetwork {
  let plan: ExecutionPlan
  let model: ModelMemory<Double>
  let engine: ShardEngine<Double>
  let leaf: AlignedMemory<Double>
  let rows: Int

  init(
    input: [Int], _ layers: [LayerKind], loss: LossSpec, rows: Int = 5,
    mode: GraphMode = .training, fusion: Bool = true, classes: Bool = true
  ) throws {
    let spec = ModelSpec(input: input, layers: layers.map { LayerSpec($0) })
    plan = ExecutionPlan(
      training: try GraphBuilder.forward(spec, loss: loss, mode: mode), capacity: rows,
      options: PlanOptions(fusion: fusion), holdsOutput: true, inputGradient: true)
    model = ModelMemory(plan)
    engine = ShardEngine(plan, model: model, usesClasses: classes, seed: 7)
    leaf = AlignedMemory(count: plan.leaf.count)
    self.rows = rows
    model.fillByWaves()
    fillInput()
  }

  /// Runs forward and backward, with dropout's first masks; returns the mean loss.
  @discardableResult
  func run() -> Double {
    fillTargets()
    engine.beginShard(rows: rows, batchSize: rows, step: 0, firstSample: 0, leaf: leaf.block)
    engine.runAll()
    guard let loss = plan.leaf.loss else { return .nan }
    return leaf.block[loss] / Double(rows)
  }

  /// By parameter, from the newest run.
  var parameterGradients: [[Double]] {
    plan.graph.parameters.indices.map { leaf.block[plan.leaf.gradient(of: $0)].array }
  }

  func fillInput() {
    for index in 0..<engine.input.count { engine.input[index] = 4 * wave(index, 0.3) }
  }

  private func fillTargets() {
    let outputs = plan.graph.outputShape.reduce(1, *)
    for index in 0..<engine.classes.count {
      engine.classes[index] = Int32((index * 7 + 3) % outputs)
    }
    for index in 0..<engine.targets.count { engine.targets[index] = index % 3 == 0 ? 1 : 0 }
  }
}

/// A number between -0.4 and 0.4 for each index.
func wave(_ index: Int, _ shift: Double) -> Double {
  0.4 * sin(0.7 * Double(index) + 0.003 * Double(index * index) + shift + 0.1)
}

extension ModelMemory {
  /// Gives parameters and statistics values that are neither alike nor extreme.
  func fillByWaves() {
    for (index, parameter) in parameterList.enumerated() {
      let isScale = parameter.kind == .normScale
      for element in 0..<parameter.elementCount {
        let value = wave(element, 1.3 * Double(index))
        self.parameter(index)[element] = S(isScale ? 1 + value : value)
      }
    }
    for (index, statistic) in statisticList.enumerated() {
      for channel in 0..<statistic.channels {
        self.statistic(index)[channel] = S(statistic.initialValue + 0.5 * wave(channel, 2))
      }
    }
  }
}
