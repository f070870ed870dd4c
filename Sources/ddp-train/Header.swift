import Collectives
import Configuration
import Foundation
import Kernels
import Metrics
import Placement
import Scaling
import Training

extension RunFacts {
  /// The header of a run.
  init(
    _ configuration: RunConfiguration, _ material: RunMaterial, _ length: RunLength,
    _ placement: JobPlacement, _ collectives: any Collectives, replica: Replica,
    resumedStep: Int?
  ) {
    let spec = configuration.spec
    let plans = material.plans
    let memory = plans.memory(
      spec, on: Cluster(collectives), sharesState: replica.sharesState)
    self.init(
      name: spec.name, configPath: configuration.file, outputFolder: spec.outputFolder,
      hosts: collectives.ranksPerHost.map { .init(name: $0.host, ranks: $0.ranks) },
      placement: placement.lines, batch: spec.training.batch, shards: spec.training.shards,
      epochs: spec.training.epochs,
      steps: length.totalSteps,
      data: .init(
        train: material.data.train.count, dev: material.data.dev?.count,
        test: material.data.test?.count),
      parameters: plans.graph.parameterCount, forwardOperations: Double(plans.forwardFLOPs),
      trainingOperations: Double(plans.flopsPerSample),
      bytesPerRank: memory.byteCount,
      instructionSet: InstructionSet.name, seed: spec.seed, resumedStep: resumedStep)
    rate = RateFact(spec, length)
    memoryParts = memory.text
    state = replica.stateText(spec, over: collectives)
    if spec.carriesState {
      order =
        "\(groupedDigits(spec.training.batch)) rows of windows follow the data, states are carried along"
    }
    bits = bitsLines(spec, over: collectives)
  }
}

/// What gives up the same bits on any number of ranks.
private func bitsLines(_ spec: RunSpec, over group: any Collectives) -> [String] {
  var lines: [String] = []
  let wire = spec.communication.wire
  if wire.isRounded {
    lines.append(
      group.hostCount > 1
        ? "gradients travel between hosts as \(wire.rawValue): the result depends on the hosts and their ranks"
        : "communication.wire \(wire.rawValue) has no effect on one host")
  }
  let localSteps = spec.training.localSteps
  if localSteps > 1 {
    lines.append(
      group.ranks > 1
        ? "each rank takes \(localSteps) steps alone, then all take their mean: the result depends on the ranks"
        : "training.local_steps \(localSteps) has no effect on one rank")
  }
  let norms = spec.model.wholeBatchNorms.count
  if norms > 0 {
    lines.append(
      "of \(group.ranks) rank\(group.ranks == 1 ? "" : "s") only: \(norms) batch norm"
        + "\(norms == 1 ? " takes" : "s take") the statistics of the whole batch")
  }
  return lines
}

extension RateFact {
  fileprivate init(_ spec: RunSpec, _ length: RunLength) {
    self.init(
      given: spec.optimizer.learningRate, warmupSteps: length.learningRates(spec).warmupSteps)
    let scale = spec.optimizer.scale
    guard let baseBatch = scale.baseBatch, scale.rule != .none else { return }
    scaling = Scaling(
      rule: scale.rule == .linear ? "linear" : "square_root",
      factor: scale.factor(batch: spec.training.batch), batch: spec.training.batch,
      baseBatch: baseBatch)
  }
}

/// The terminal of rank 0.
func console(_ option: ProgressOption, spec: RunSpec, firstStep: Int) -> ProgressDisplay {
  ProgressDisplay(
    style: option.style(), label: spec.metricLabel, firstStep: firstStep,
    width: terminalColumns(environment: ProcessInfo.processInfo.environment))
}
