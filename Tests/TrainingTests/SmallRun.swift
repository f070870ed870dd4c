import Checkpoints
import Collectives
import Datasets
import Foundation
import Graph
import Metrics
import Optimizers
import Training

/// Whole runs on generated data, within this process.
struct SmallRun {
  var spec: RunSpec
  let material: RunMaterial

  init(_ spec: RunSpec) throws {
    self.spec = spec
    material = try RunMaterial(
      spec, over: SoloCollectives(), inputPlace: "model.input", checkOutputs: { _ in },
      loadCheckpoint: { nil })
  }

  /// 203 moons, of them 40 for dev, in steps of 16: an epoch has eleven steps, the last of three samples.
  static func spec(_ layers: [LayerKind] = SmallRun.layers) -> RunSpec {
    var data = DataSpec(source: .generated(GeneratedSpec(kind: .moons, samples: 203, noise: 0.3)))
    data.dev = .count(40, stratified: true)
    var training = TrainingSpec()
    training.epochs = 4
    training.batch = 16
    training.shards = 4
    return RunSpec(
      name: "small", seed: 4, data: data,
      model: ModelSpec(input: [2], layers: layers.map { LayerSpec($0) }),
      loss: .softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil),
      optimizer: OptimizerSpec(
        rule: .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8), learningRate: 0.02),
      schedule: ScheduleSpec(.cosine(final: 0)), training: training, evaluation: EvaluationSpec(),
      checkpoint: CheckpointSpec(), audit: AuditSpec(), plan: PlanSpec(), outputFolder: "nowhere")
  }

  static let layers: [LayerKind] = [
    .dense(DenseSpec(units: 9)), .batchNorm(BatchNormSpec()), .activation(.relu),
    .dropout(rate: 0.2), .dense(DenseSpec(units: 2)),
  ]

  func replica() -> Replica { Replica(spec, plans: material.plans) }

  /// Trains `replica` on, up to the spec's last step, and saves into `folder` where there is one.
  @discardableResult
  func train(
    _ replica: Replica, savingTo folder: CheckpointFolder? = nil, loggingTo log: String? = nil,
    preemption: Preemption? = nil
  ) throws -> TrainingRun {
    let length = RunLength(spec, samples: material.data.train.count)
    let codec = CheckpointCodec(
      spec, length: length, statistics: material.data.statistics,
      settings: ["seed": "\(spec.seed)"], resolvedConfig: "seed: \(spec.seed)\n")
    let keeper = folder.map {
      CheckpointKeeper(
        folder: $0, spec: spec, codec: codec,
        saved: replica.counters.step == 0 ? nil : replica.counters,
        warn: { _ in })
    }
    let run = try TrainingRun(
      spec, plans: material.plans, data: material.data, replica: replica,
      collectives: SoloCollectives(),
      journal: try log.map { try journal($0, length, firstStep: replica.counters.step) },
      keeper: keeper, preemption: preemption, lengthBuckets: material.lengthBuckets(spec))
    try run.train()
    return run
  }

  private func journal(_ path: String, _ length: RunLength, firstStep: Int) throws -> RunJournal {
    let label = spec.metricLabel
    return RunJournal(
      display: ProgressDisplay(style: .none, label: label, firstStep: firstStep, write: { _ in }),
      log: try MetricsLog(path: path, resumingAt: firstStep == 0 ? nil : firstStep), label: label,
      length: length, onFailure: .stop, firstStep: firstStep)
  }

  /// A replica as the newest checkpoint of `folder` has it.
  func restored(from folder: CheckpointFolder) throws -> Replica {
    let replica = replica()
    guard let checkpoint = try folder.newestValid().checkpoint else { return replica }
    try replica.restore(
      checkpoint.record, model: checkpoint.model.tensors, state: checkpoint.state.tensors,
      place: checkpoint.name)
    return replica
  }
}

extension Replica {
  /// Every number it holds, by name.
  var bits: [String: [UInt32]] {
    var bits = [
      "parameters": model.parameters.array, "statistics": model.statistics.array,
      "used": usedParameters.array,
    ]
    for (index, name) in optimizer.slotNames.enumerated() {
      bits[name] = optimizer.slot(index).array
    }
    return bits.mapValues { $0.map(\.bitPattern) }
  }
}

/// A checkpoint folder that exists while the object does.
final class TemporaryCheckpoints {
  let folder: CheckpointFolder
  private let path: String

  init() {
    path =
      FileManager.default.temporaryDirectory
      .appendingPathComponent("training-\(UUID().uuidString)").path
    folder = CheckpointFolder(path)
  }

  /// A file that goes with the folder.
  func file(_ name: String) throws -> String {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return "\(path)/\(name)"
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
