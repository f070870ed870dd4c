import Engine
import Graph
import Kernels
import Plan
import Storage

/// The gradients of a few samples in Double, by the plan that training uses.
final class AnalyticGradient {
  let plan: ExecutionPlan
  private let engine: ShardEngine<Double>
  private let memory: AlignedMemory<Double>
  private let samples: VerifySamples
  private let rows: Int
  private let fault: PlantedFault?

  /// - Parameter model: Whose parameters are read.
  init(_ material: VerifyMaterial, model: ModelMemory<Double>) {
    rows = material.size.gradientSamples
    samples = material.samples
    fault = material.fault
    plan = ExecutionPlan(step: material.plans.training.graph, capacity: rows)
    engine = material.engine(plan, model)
    memory = AlignedMemory(count: plan.leaf.count)
  }

  /// Of one parameter, after `run`.
  subscript(_ parameter: Int) -> Block<Double> { memory.block[plan.leaf.gradient(of: parameter)] }

  func norm(_ parameter: Int) -> Double { sumOfSquares(self[parameter]).squareRoot() }

  /// One pass forward and backward.
  func run(step: Int) {
    let isSum = if case .gradient(.notDividedBySamples) = fault { true } else { false }
    engine.beginShard(
      rows: rows, batchSize: isSum ? 1 : rows, step: step, firstSample: 0, leaf: memory.block)
    samples.load(0..<rows, into: engine)
    engine.runAll()
    if case .gradient(let fault) = fault { plant(fault) }
  }

  private func plant(_ fault: GradientFault) {
    let parameters = plan.graph.parameters
    switch fault {
    case .signTurned:
      guard let first = parameters.firstIndex(where: { $0.kind == .weight }) else { return }
      for element in 0..<self[first].count { self[first][element] *= -1 }
    case .biasForgotten:
      parameters.firstIndex { $0.kind == .bias }.map { self[$0].fill(0) }
    case .scaleForgotten:
      parameters.firstIndex { $0.kind == .normScale }.map { self[$0].fill(0) }
    case .embeddingRowsOverwritten: overwriteEmbeddingRows()
    case .notDividedBySamples, .addedToOldContent: return
    }
  }

  /// Each row of the table shrinks to the share of one place: what is left when places overwrite each other.
  private func overwriteEmbeddingRows() {
    guard let reader = plan.graph.tokenReaders.first,
      case .parameter(let table) = plan.graph[reader.table].role
    else { return }
    let width = plan.graph[plan.graph.input].elementCount
    var places: [Int: Int] = [:]
    for sample in 0..<rows {
      for element in reader.elements {
        places[Int(samples.inputs.block[sample * width + element]), default: 0] += 1
      }
    }
    for (word, count) in places where count > 1 {
      let row = self[table][word * reader.channels..<(word + 1) * reader.channels]
      for element in 0..<reader.channels { row[element] /= Double(count) }
    }
  }
}
