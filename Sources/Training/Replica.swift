import DataParallel
import Engine
import Graph
import Kernels
import Optimizers
import Storage

/// What every rank holds in the same bits and a checkpoint keeps: parameters, statistics, optimizer
/// state, averaged and best weights, and where the run stands.
///
/// The optimizer's state and the average may be held once by the ranks of a host (`StateMemory`). Training changes
/// them between the sum of a step and its end only; a rank that is between two steps may read them at leisure,
/// since the next sum waits for it. Outside of steps only ranks whose state `isFilledHere` write them, with a barrier of all
/// ranks before anybody reads.
package final class Replica {
  package let model: ModelMemory<Float>
  package let optimizer: Optimizer<Float>
  package let average: ExponentialMovingAverage<Float>?
  package var counters: RunCounters
  let state: StateMemory
  /// Parameters, then statistics, of the best evaluation so far; made when there is one.
  private var best: AlignedMemory<Float>?

  /// A replica with all state of its own.
  package convenience init(_ spec: RunSpec, plans: ModelPlans) {
    let model = ModelMemory<Float>(plans.training)
    self.init(spec, model: model, state: StateMemory(alone: StateMemory.Size(spec, model)))
  }

  init(_ spec: RunSpec, model: ModelMemory<Float>, state: StateMemory) {
    initializeParameters(of: model, seed: spec.seed)
    self.model = model
    self.state = state
    optimizer = Optimizer(
      spec: spec.optimizer, segments: model.segments, parameterCount: model.parameters.count,
      slots: state.slots, norms: state.norms)
    average = state.average.flatMap { memory in
      spec.training.emaDecay.map { ExponentialMovingAverage(decay: $0, memory: memory) }
    }
    if state.isFilledHere { average?.start(from: model.parameters) }
    counters = RunCounters(spec)
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
    if average == nil || state.isFilledHere { usedParameters.copy(from: parameters) }
    model.statistics.copy(from: statistics)
  }
}

extension Replica {
  struct AuditedTensor {
    let name: String
    let block: Block<Float>
    /// Whether the ranks of a host see the same memory: then only hosts can differ.
    var isHostShared = false
  }

  /// Everything that must be the same on every rank, in the same order on every rank.
  var auditedTensors: [AuditedTensor] {
    var buffers = [("", model.parameters, false)]
    buffers += optimizer.slotNames.enumerated().map {
      ("\($1).", optimizer.slot($0), state.isHostShared)
    }
    if let average { buffers.append(("average.", average.average, state.isHostShared)) }
    if hasBest { buffers.append(("best.", bestBlocks().parameters, false)) }
    return buffers.flatMap { prefix, buffer, isHostShared in
      zip(model.parameterList, model.leaf.parameters).map {
        AuditedTensor(name: prefix + $0.name, block: buffer[$1], isHostShared: isHostShared)
      }
    }
      + zip(model.statisticList, model.leaf.statistics).map {
        AuditedTensor(name: $0.name, block: model.statistics[$1])
      }
  }

  /// 128 bits for every tensor, in the same order on every rank.
  func tensorHashes() -> [TensorHash] {
    auditedTensors.map { tensor in
      let hash = tensor.block.hash128
      return TensorHash(name: tensor.name, high: hash.high, low: hash.low)
    }
  }
}

/// Where a run stands, in numbers.
package struct RunCounters: Equatable, Sendable {
  /// Steps done.
  package var step = 0
  /// Sums over the current epoch's samples so far.
  package var epochSamples = 0
  package var epochLoss = 0.0
  package var epochRight = 0.0
  /// What `epochLoss` is the sum of, where there are several losses.
  package var epochLossTerms: [Double]
  package var bestStep: Int?
  package var hasStoppedEarly = false
  /// Follows the dev metric; without `training.early_stopping` only to know the best.
  package var stopping: EarlyStopping

  package init(_ spec: RunSpec) {
    let others = spec.auxiliaryLosses.count
    epochLossTerms = Array(repeating: 0, count: others == 0 ? 0 : 1 + others)
    stopping = EarlyStopping(
      spec: spec.training.earlyStopping ?? EarlyStoppingSpec(patience: .max),
      better: spec.countsRightAnswers ? .higher : .lower)
  }

  /// Takes in the means over the samples since the ranks agreed last.
  mutating func add(loss: Double, terms: [Double], accuracy: Double?, samples: Int) {
    epochSamples += samples
    for (index, term) in terms.enumerated() { epochLossTerms[index] += term * Double(samples) }
    epochLoss += loss * Double(samples)
    epochRight += (accuracy ?? 0) * Double(samples)
  }

  /// Means over the epoch so far.
  var epochMeans: (loss: Double, terms: [Double], accuracy: Double) {
    let count = Double(max(epochSamples, 1))
    return (epochLoss / count, epochLossTerms.map { $0 / count }, epochRight / count)
  }

  /// Whether the epoch that the last step completed still lacks its evaluation and its record: the
  /// run was stopped between the two.
  func owesEpochEnd(_ length: RunLength) -> Bool {
    epochSamples > 0 && length.endsEpoch(after: step)
  }

  mutating func beginEpoch() {
    epochSamples = 0
    epochLoss = 0
    epochRight = 0
    for index in epochLossTerms.indices { epochLossTerms[index] = 0 }
  }

  /// Takes in an evaluation on the dev part; says whether it is the best so far.
  mutating func note(_ evaluation: Evaluation) -> Bool {
    switch stopping.decide(on: evaluation.accuracy ?? evaluation.loss) {
    case .keepAsBest:
      bestStep = step
      return true
    case .goOn: return false
    case .stop:
      hasStoppedEarly = true
      return false
    }
  }
}

/// Fills all parameters with their first values, a pure function of seed and name.
private func initializeParameters(of model: ModelMemory<Float>, seed: UInt64) {
  for (index, parameter) in model.parameterList.enumerated() {
    model.setParameter(
      index,
      fileOrder: initialValues(
        of: parameter.name, initializer: parameter.initializer, count: parameter.elementCount,
        fan: Fan(input: parameter.fanIn, output: parameter.fanOut), seed: seed))
  }
}

extension ModelMemory {
  /// The parameters as the optimizer sees them, in the order of memory.
  var segments: [ParameterSegment] {
    leaf.order.map { index in
      let parameter = parameterList[index]
      return ParameterSegment(
        name: parameter.name, kind: parameter.kind, offset: leaf.parameters[index].lowerBound,
        count: parameter.elementCount, isTrained: parameter.isTrained)
    }
  }
}
