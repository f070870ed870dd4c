import Engine
import Graph
import Kernels
import Optimizers
import Storage

/// What every rank holds in the same bits and a checkpoint keeps: parameters, statistics, optimizer
/// state, averaged and best weights, and where the run stands.
package final class Replica {
  package let model: ModelMemory<Float>
  package let optimizer: Optimizer<Float>
  package let average: ExponentialMovingAverage<Float>?
  package var counters: RunCounters
  /// Parameters, then statistics, of the best evaluation so far; made when there is one.
  private var best: AlignedMemory<Float>?

  package init(_ spec: RunSpec, plans: ModelPlans) {
    model = ModelMemory(plans.training)
    initializeParameters(of: model, seed: spec.seed)
    optimizer = Optimizer(
      spec: spec.optimizer, segments: model.segments,
      parameterCount: model.parameters.count)
    average = spec.training.emaDecay.map {
      ExponentialMovingAverage(decay: $0, parameterCount: model.parameters.count)
    }
    average?.start(from: model.parameters)
    counters = RunCounters(earlyStopping: spec.training.earlyStopping)
  }

  /// The weights that evaluation and export use.
  package var usedParameters: Block<Float> { average?.average ?? model.parameters }

  package var hasBest: Bool { best != nil }

  /// Keeps the weights in use, as the best so far.
  package func keepBest() {
    let (parameters, statistics) = bestBlocks()
    parameters.copy(from: usedParameters)
    statistics.copy(from: model.statistics)
  }

  /// Memory for the best weights, for keeping and for reading a checkpoint.
  func bestBlocks() -> (parameters: Block<Float>, statistics: Block<Float>) {
    let split = model.parameters.count
    let total = split + model.statistics.count
    let memory = best ?? AlignedMemory(count: total)
    best = memory
    return (memory.block[0..<split], memory.block[split..<total])
  }

  /// Puts the best weights in the place of the last ones, at the end of a run.
  package func restoreBest() {
    guard best != nil else { return }
    let (parameters, statistics) = bestBlocks()
    usedParameters.copy(from: parameters)
    model.statistics.copy(from: statistics)
  }
}

/// Where a run stands, in numbers.
package struct RunCounters: Codable, Equatable, Sendable {
  /// Steps done.
  package var step = 0
  /// Sums over the current epoch's samples so far.
  package var epochSamples = 0
  package var epochLoss = 0.0
  package var epochRight = 0.0
  package var bestStep: Int?
  package var earlyStopping: EarlyStopping?
  package var hasStoppedEarly = false

  init(earlyStopping spec: EarlyStoppingSpec?) {
    _ = spec
  }

  /// Counts one more step.
  mutating func add(loss: Double, accuracy: Double?, samples: Int) {
    step += 1
    epochSamples += samples
    epochLoss += loss * Double(samples)
    epochRight += (accuracy ?? 0) * Double(samples)
  }

  /// Means over the epoch so far.
  var epochMeans: (loss: Double, accuracy: Double) {
    let count = Double(max(epochSamples, 1))
    return (epochLoss / count, epochRight / count)
  }

  mutating func beginEpoch() {
    epochSamples = 0
    epochLoss = 0
    epochRight = 0
  }
}

/// Fills all parameters with their first values, a pure function of seed and name.
private func initializeParameters(of model: ModelMemory<Float>, seed: UInt64) {
  for (index, parameter) in model.parameterList.enumerated() {
    model.setParameter(
      index,
      fileOrder: initialValues(
        of: parameter.initializer, count: parameter.elementCount, fanIn: parameter.fanIn,
        fanOut: parameter.fanOut, seed: seed, name: parameter.name))
  }
}

extension ModelMemory {
  /// The parameters as the optimizer sees them, in the order of memory.
  var segments: [ParameterSegment] {
    leaf.order.map { index in
      let parameter = parameterList[index]
      return ParameterSegment(
        name: parameter.name, kind: parameter.kind, offset: leaf.parameters[index].lowerBound,
        count: parameter.elementCount)
    }
  }
}
