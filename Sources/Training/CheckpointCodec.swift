import Checkpoints
import Datasets
import Diagnostics
import Engine
import Kernels
import Optimizers
import Storage

/// Translates between a replica and what lies in a checkpoint.
package struct CheckpointCodec: Sendable {
  private let seed: UInt64
  private let length: RunLength
  private let statistics: NormalizationStatistics
  private let settings: [String: String]
  private let resolvedConfig: String

  package init(
    _ spec: RunSpec, length: RunLength, statistics: NormalizationStatistics,
    settings: [String: String], resolvedConfig: String
  ) {
    seed = spec.seed
    self.length = length
    self.statistics = statistics
    self.settings = settings
    self.resolvedConfig = resolvedConfig
  }

  /// Settings that may differ between the starts of one run.
  package static let freeSettings = [
    "training.max_steps", "training.recompute", "output", "checkpoint", "preemption", "audit",
    "failure", "evaluation.batch", "plan.bucket_bytes", "plan.fusion", "placement", "name",
    "optimizer.state",
  ]

  func record(of replica: Replica, isBest: Bool) -> CheckpointRecord {
    let counters = replica.counters
    var record = CheckpointRecord(
      step: counters.step, epoch: length.epoch(ofStep: counters.step),
      samplesIntoEpoch: counters.epochSamples, seed: seed)
    record.bestMetric = counters.stopping.best
    record.isBest = isBest
    record.normalization = ["mean": statistics.mean, "deviation": statistics.deviation]
    if !statistics.targetMean.isEmpty {
      record.normalization["target_mean"] = statistics.targetMean
      record.normalization["target_deviation"] = statistics.targetDeviation
    }
    record.counters = [
      "evaluations_since_best": counters.stopping.evaluationsSinceBest,
      "stopped_early": counters.hasStoppedEarly ? 1 : 0,
    ]
    record.counters["best_step"] = counters.bestStep
    record.metrics = ["epoch_loss": counters.epochLoss, "epoch_right": counters.epochRight]
    for (index, term) in counters.epochLossTerms.enumerated() {
      record.metrics["epoch_loss_term.\(index)"] = term
    }
    record.settings = settings
    record.resolvedConfig = resolvedConfig
    return record
  }
}

extension CheckpointRecord {
  /// The statistics that the checkpoint's weights were trained with.
  package var normalizationStatistics: NormalizationStatistics? {
    guard let mean = normalization["mean"], let deviation = normalization["deviation"] else {
      return nil
    }
    return NormalizationStatistics(
      mean: mean, deviation: deviation, targetMean: normalization["target_mean"] ?? [],
      targetDeviation: normalization["target_deviation"] ?? [])
  }
}

extension Replica {
  /// Views of everything that a resume needs; weights as users want them, the rest beside them.
  package func payload() -> CheckpointPayload {
    var state: [NamedTensor] = []
    for (index, name) in optimizer.slotNames.enumerated() {
      state += model.parameterTensors(optimizer.slot(index), prefix: "\(name).")
    }
    if average != nil { state += model.parameterTensors(model.parameters, prefix: "raw.") }
    if hasBest {
      let best = bestBlocks()
      state += model.tensors(
        parameters: best.parameters, statistics: best.statistics, prefix: "best.")
    }
    return CheckpointPayload(model: model.tensors(parameters: usedParameters), state: state)
  }

  /// Takes over a checkpoint's tensors and counters.
  ///
  /// Where a host holds state once, one of its ranks fills it; a barrier comes before anybody reads it.
  /// - Throws: A `Diagnostic` that lists what differs when the tensors are another model's.
  package func restore(
    _ record: CheckpointRecord, model file: [NamedTensor], state: [NamedTensor], place: String
  ) throws {
    let found = file.map { TensorShape(name: $0.name, shape: $0.shape) }
    if let difference = TensorShape.difference(
      expected: model.fileShapes, found: found, place: place)
    {
      throw difference
    }
    let weights = TensorTable(file, place: place)
    let rest = TensorTable(state, place: place)
    try model.load(weights)
    if let average {
      if self.state.isFilledHere { average.average.copy(from: model.parameters) }
      try model.loadParameters(rest, prefix: "raw.", into: model.parameters)
    }
    for (index, name) in optimizer.slotNames.enumerated() where self.state.isFilledHere {
      try model.loadParameters(rest, prefix: "\(name).", into: optimizer.slot(index))
    }
    if let first = model.parameterList.first, rest.contains("best.\(first.name)") {
      let best = bestBlocks()
      try model.load(
        rest, prefix: "best.", parameters: best.parameters, statistics: best.statistics)
    }
    counters.restore(record)
  }
}

extension RunCounters {
  fileprivate mutating func restore(_ record: CheckpointRecord) {
    step = record.step
    epochSamples = record.samplesIntoEpoch
    epochLoss = record.metrics["epoch_loss"] ?? 0
    epochRight = record.metrics["epoch_right"] ?? 0
    for index in epochLossTerms.indices {
      epochLossTerms[index] = record.metrics["epoch_loss_term.\(index)"] ?? 0
    }
    bestStep = record.counters["best_step"]
    hasStoppedEarly = record.counters["stopped_early"] == 1
    var spec = EarlyStoppingSpec(patience: stopping.patience)
    spec.minimumDelta = stopping.minimumDelta
    stopping = EarlyStopping(
      spec: spec, better: stopping.better, best: record.bestMetric,
      evaluationsSinceBest: record.counters["evaluations_since_best"] ?? 0)
  }
}
