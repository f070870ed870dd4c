import Collectives
import DataParallel
import Engine
import Kernels
import Optimizers
import Plan
import Storage

/// Training steps of one rank over the batch that is proven.
final class VerifySteps {
  let replica: Replica
  private let steps: StepEngine<Float>
  private let material: VerifyMaterial
  private let rate: Double
  private let goesOn: Bool

  /// - Parameters:
  ///   - replica: Is trained.
  ///   - optimizer: nil: the replica's.
  ///   - plan: Of a step; the run's, or one without dropout.
  ///   - goesOn: Whether layers that carry states go on from step to step; else each step starts from the samples' own.
  init(
    _ material: VerifyMaterial, _ replica: Replica, plan: ExecutionPlan,
    optimizer: Optimizer<Float>? = nil, goesOn: Bool = false
  ) throws {
    self.material = material
    self.goesOn = goesOn
    self.replica = replica
    rate = (optimizer ?? replica.optimizer).spec.learningRate
    let shards = material.spec.training.shards
    let summation = try GradientSummation<Float>(
      length: plan.leaf.count, buckets: plan.buckets, shards: shards, over: SoloCollectives())
    let counts = plan.batchSumCounts
    steps = StepEngine(
      engine: material.engine(plan, replica.model), model: replica.model,
      optimizer: optimizer ?? replica.optimizer, average: replica.average, summation: summation,
      batchSums: counts.isEmpty
        ? nil : try BatchSums(counts: counts, beside: summation, over: SoloCollectives()),
      shards: shards,
      limits: GradientLimits(
        norm: material.spec.training.clipNorm, value: material.spec.training.clipValue))
  }

  /// Takes the next step and gives the loss before it.
  @discardableResult
  func take() throws -> Double {
    material.activity.goOn()
    let before = material.standsStill ? Weights(replica.model) : nil
    let isUphill = if case .step(.uphill) = material.fault { true } else { false }
    let batch = StepBatch(
      count: material.size.batch, step: replica.counters.step,
      learningRate: isUphill ? -rate : rate)
    let result = try steps.run(batch) {
      material.samples.load($0, into: steps.engine, bringsStates: !goesOn)
    }
    replica.counters.step += 1
    replica.counters.add(
      loss: result.loss, terms: steps.lossTerms, accuracy: result.accuracy,
      samples: material.size.batch)
    switch material.fault {
    case .step(.tensorStandsStill): before?.restore(parameter: 0, of: replica.model)
    case .step(.statisticsStandStill): before?.restoreStatistics(of: replica.model)
    default: break
    }
    return result.loss
  }

  /// What layers carry to the next step; nil: none does.
  var states: CarriedStates<Float>? { steps.engine.states }

  /// The sum of the newest step's gradients of a parameter.
  func gradient(_ parameter: Int) -> Block<Float> {
    steps.summation.sum[steps.engine.plan.leaf.gradient(of: parameter)]
  }
}

/// A copy of parameters and statistics.
struct Weights {
  private let parameters: [Float]
  private let statistics: [Float]

  init(_ model: ModelMemory<Float>) {
    parameters = model.parameters.array
    statistics = model.statistics.array
  }

  func restore(parameter: Int, of model: ModelMemory<Float>) {
    model.parameter(parameter).copy(from: Array(parameters[model.leaf.parameters[parameter]]))
  }

  func restoreStatistics(of model: ModelMemory<Float>) { model.statistics.copy(from: statistics) }

  /// Parameters that are still as they were.
  func unmovedParameters(of model: ModelMemory<Float>) -> [Int] {
    model.parameterList.indices.filter {
      model.parameter($0).array == Array(parameters[model.leaf.parameters[$0]])
    }
  }

  func unmovedStatistics(of model: ModelMemory<Float>) -> [String] {
    zip(model.statisticList, model.leaf.statistics).filter {
      $0.momentum != 0 && model.statistics[$1].array == Array(statistics[$1])
    }.map(\.0.name)
  }
}

extension VerifyMaterial {
  /// Whether something is put back after each step.
  fileprivate var standsStill: Bool {
    switch fault {
    case .step(.tensorStandsStill), .step(.statisticsStandStill): true
    default: false
    }
  }
}
