import Collectives
import DataParallel
import Datasets
import Diagnostics
import Engine
import Graph
import Kernels
import Metrics
import Optimizers
import Plan
import Storage

/// What all proofs work on: the run in a handy size, its plans, its samples, and the fault that was planted.
struct VerifyMaterial {
  /// In the size of `size`.
  let spec: RunSpec
  let size: VerifySize
  let plans: ModelPlans
  let samples: VerifySamples
  let fault: PlantedFault?
  /// Tells whoever watches that the work goes on.
  let activity: RankActivity

  /// Plans the proofs and reads the samples; all ranks make theirs together.
  ///
  /// - Parameters:
  ///   - spec: The run as it was written.
  ///   - written: Its plans.
  init(
    _ spec: RunSpec, written: ModelPlans, mutant: Mutant?, inputPlace: String,
    over collectives: any Collectives, activity: RankActivity
  ) throws {
    self.activity = activity
    let (size, small, plans) = try collectives.agree {
      let size = try VerifySize(spec, ranks: collectives.ranks)
      let small = size.applied(to: spec)
      return (size, small, try ModelPlans(small).with(mutant, of: small))
    }
    self.size = size
    self.spec = small
    self.plans = plans
    fault = mutant?.fault
    samples = try VerifySamples(
      spec, plans: written, graph: plans.graph,
      count: max(size.batch, size.gradientSamples), inputPlace: inputPlace, over: collectives)
    samples.plant(fault)
  }

  var usesClasses: Bool { spec.data.target == .classes }

  /// The state at the start of the run.
  func replica() -> Replica {
    let replica = Replica(spec, plans: plans)
    if case .weights(let fault) = fault { replica.model.plant(fault) }
    return replica
  }

  /// An engine for one of the plans.
  func engine<S: Scalar>(
    _ plan: ExecutionPlan, _ model: ModelMemory<S>, arena: AlignedMemory<S>? = nil
  ) -> ShardEngine<S> {
    ShardEngine(plan, model: model, usesClasses: usesClasses, seed: spec.seed, arena: arena)
  }

  /// Whether a fault of a run was planted.
  func has(_ run: RunFault) -> Bool {
    if case .run(run) = fault { true } else { false }
  }
}

extension VerifyMaterial {
  /// The network with its loss as the proofs compute it, before the gradients.
  func forwardGraph() throws -> ModelGraph {
    let graph = try spec.forwardGraph(.training)
    guard case .graph(let fault) = fault, fault.isForward else { return graph }
    return fault.planted(in: graph) ?? graph
  }
}

extension ModelPlans {
  /// The plans with the faults of graphs in them.
  ///
  /// - Throws: A `Diagnostic` when the model has no place for the fault.
  fileprivate func with(_ mutant: Mutant?, of spec: RunSpec) throws -> ModelPlans {
    guard let mutant else { return self }
    guard mutant.fault.fits(spec, graph) else { throw mutant.misfit }
    switch mutant.fault {
    case .graph(let fault):
      guard let graph = fault.planted(in: training.graph) else { throw mutant.misfit }
      let used = fault.isForward ? fault.planted(in: evaluation.graph) : nil
      return ModelPlans(
        training: ExecutionPlan(step: graph, capacity: training.capacity),
        evaluation: used.map { ExecutionPlan(inference: $0, capacity: evaluation.capacity) }
          ?? evaluation)
    case .run(.evaluatesWithDropout):
      return try evaluating(by: spec.forwardGraph(.training))
    case .run(.evaluatesWithBatchStatistics):
      return try evaluating(by: spec.forwardGraph(.training).withoutDropout())
    default: return self
    }
  }

  private func evaluating(by graph: ModelGraph) -> ModelPlans {
    ModelPlans(
      training: training,
      evaluation: ExecutionPlan(inference: graph, capacity: evaluation.capacity))
  }
}

extension Mutant {
  fileprivate var misfit: Diagnostic {
    Diagnostic(
      place: "--mutant \(name)", problem: "the model has no place for this fault",
      expected: "a model in which this can happen: \(plants)", remedy: "choose another config")
  }
}

extension PlantedFault {
  /// Whether a model has what the fault spoils; of faults in graphs planting them shows it.
  fileprivate func fits(_ spec: RunSpec, _ graph: ModelGraph) -> Bool {
    func has(_ kind: ParameterKind) -> Bool { graph.parameters.contains { $0.kind == kind } }
    return switch self {
    case .gradient(.biasForgotten): has(.bias)
    case .gradient(.scaleForgotten): has(.normScale)
    case .gradient(.embeddingRowsOverwritten): !graph.tokenReaders.isEmpty
    case .samples(.classesCountedFromOne): spec.data.target == .classes
    case .restore(.averageLost): spec.training.emaDecay != nil
    case .restore(.statesLost): !graph.states.isEmpty
    case .sum(.dropoutOfRank), .run(.evaluatesWithDropout), .run(.randomFromClock):
      graph.operations.contains { $0.kind.isDropout }
    case .step(.statisticsStandStill), .restore(.statisticsLost),
      .run(.evaluatesWithBatchStatistics):
      !graph.statistics.isEmpty
    default: true
    }
  }
}

extension VerifySamples {
  fileprivate func plant(_ fault: PlantedFault?) {
    switch fault {
    case .samples(.classesCountedFromOne):
      for index in 0..<classes.block.count { classes.block[index] += 1 }
    case .samples(.inputNotFinite): inputs.block[inputs.block.count / 2] = .nan
    default: return
    }
  }
}

extension ModelMemory<Float> {
  fileprivate func plant(_ fault: WeightFault) {
    for index in parameterList.indices where parameterList[index].kind == .weight {
      let weights = parameter(index)
      switch fault {
      case .tooLarge: for element in 0..<weights.count { weights[element] *= 100 }
      case .allZero: weights.fill(0)
      }
    }
  }
}
