import Engine
import Foundation
import Graph
import Kernels
import Plan
import Storage

/// Two engines side by side, operation by operation: what must not matter (old content of memory, the step in evaluation,
/// who else is in the batch) differs, and the first operation that notices is named.
struct RepeatCheck {
  private let material: VerifyMaterial
  private let model: ModelMemory<Float>

  init(_ material: VerifyMaterial, model: ModelMemory<Float>) {
    self.material = material
    self.model = model
  }

  func run() -> VerifyFinding {
    let evaluation = material.plans.evaluation
    let training = material.plans.training
    let clock = material.has(.randomFromClock) ? Int.random(in: 1..<1 << 30) : 0
    let comparisons: [(what: String, first: Graph.Operation?)] = [
      (
        "evaluation depends on the training step or on what was computed before",
        compare(evaluation, Pass(step: 0), Pass(step: 7, sampleNumber: 5))
      ),
      (
        "evaluation of a sample depends on the others in its batch",
        compare(evaluation, Pass(step: 0), Pass(step: 0, only: evaluation.capacity - 1))
      ),
      (
        "a training pass with the same step depends on what was computed before",
        compare(training, Pass(step: 0), Pass(step: clock))
      ),
    ]
    for comparison in comparisons {
      guard let first = comparison.first else { continue }
      return VerifyFinding(
        .repeat, passed: false,
        "\(comparison.what): first in \(first.layer) (\(first.kind.name))")
    }
    let stale = unchangingMasks(training)
    guard stale.isEmpty else {
      return VerifyFinding(
        .repeat, passed: false, "the same masks at steps 0 and 1 in \(shortList(stale))")
    }
    return VerifyFinding(
      .repeat, passed: true,
      "the same bits twice: evaluation, alone or in a batch, at any step; training at the same step"
    )
  }

  private struct Pass {
    var step: Int
    var sampleNumber = 0
    /// nil: the whole batch.
    var only: Int?

    init(step: Int, sampleNumber: Int = 0, only: Int? = nil) {
      self.step = step
      self.sampleNumber = sampleNumber
      self.only = only
    }
  }

  /// One of the engines, with memory of its own.
  private final class Side {
    let engine: ShardEngine<Float>
    private let arena: AlignedMemory<Float>
    private let leaf: AlignedMemory<Float>

    init(
      _ material: VerifyMaterial, _ plan: ExecutionPlan, _ model: ModelMemory<Float>, _ pass: Pass,
      filler: Float
    ) {
      arena = AlignedMemory(count: plan.arena.count)
      arena.block.fill(filler)
      leaf = AlignedMemory(count: plan.leaf.count)
      leaf.block.fill(filler)
      engine = material.engine(plan, model, arena: arena)
      let samples = pass.only.map { $0..<$0 + 1 } ?? 0..<plan.capacity
      engine.beginShard(
        rows: samples.count, batchSize: samples.count, step: pass.step,
        firstSample: pass.sampleNumber, leaf: leaf.block)
      material.samples.load(samples, into: engine)
    }
  }

  private func compare(_ plan: ExecutionPlan, _ first: Pass, _ second: Pass) -> Graph.Operation? {
    let a = Side(material, plan, model, first, filler: 0)
    let b = Side(material, plan, model, second, filler: .nan)
    return withExtendedLifetime((a, b)) { firstDifference(plan, a, b, only: second.only) }
  }

  private func firstDifference(
    _ plan: ExecutionPlan, _ a: Side, _ b: Side, only: Int?
  ) -> Graph.Operation? {
    let adds = if case .gradient(.addedToOldContent) = material.fault { true } else { false }
    for (index, operation) in plan.graph.operations.enumerated() {
      let old = adds ? operation.outputs.map { b.engine.block($0).array } : []
      a.engine.run(index)
      b.engine.run(index)
      for (position, output) in operation.outputs.enumerated() {
        let (x, y) = (a.engine.block(output), b.engine.block(output))
        if adds, case .parameterGradient = plan.graph[output].role {
          for element in 0..<y.count { y[element] += old[position][element] }
        }
        guard let sample = only else {
          if x.hash128 != y.hash128 { return operation }
          continue
        }
        // A loss's gradient, its second output, is divided by the size of the batch.
        guard plan.graph[output].role.growsWithSamples, position == 0,
          !operation.kind.comparesSamples
        else { continue }
        let row = y.count * sample..<y.count * (sample + 1)
        if x[row].hash128 != y.hash128 { return operation }
      }
    }
    return nil
  }

  /// Dropouts that draw the same masks at the first two steps.
  private func unchangingMasks(_ plan: ExecutionPlan) -> [String] {
    let a = Side(material, plan, model, Pass(step: 0), filler: 0)
    let b = Side(material, plan, model, Pass(step: 1), filler: 0)
    var same: [String] = []
    for (index, operation) in plan.graph.operations.enumerated() {
      if operation.kind.isLoss { break }
      // The same input, so that only the masks can differ.
      for input in operation.inputs where operation.kind.isDropout {
        b.engine.block(input).copy(from: a.engine.block(input))
      }
      a.engine.run(index)
      b.engine.run(index)
      let (x, y) = (a.engine.block(operation.outputs[0]), b.engine.block(operation.outputs[0]))
      // Zeros show no mask.
      let shown = max(x.array.count { $0 != 0 }, y.array.count { $0 != 0 })
      if operation.kind.drawsDifferently(count: shown), x.hash128 == y.hash128 {
        same.append(operation.layer)
      }
    }
    return withExtendedLifetime((a, b)) { same }
  }
}

extension OperationKind {
  /// Whether two draws of a mask for so many elements are different for all practical purposes.
  fileprivate func drawsDifferently(count: Int) -> Bool {
    guard case .dropout(let rate, _) = self else { return false }
    return Double(count) * log(rate * rate + (1 - rate) * (1 - rate)) < log(1e-9)
  }
}
