import Checkpoints
import Collectives
import Configuration
import DataParallel
import Diagnostics
import Training

/// A trained network with its data: what commands on the weights of a run begin with.
struct TrainedModel {
  let material: RunMaterial
  let summation: GradientSummation<Float>
  let replica: Replica
  let checkpoint: ReceivedCheckpoint

  /// Loads the weights that the run would leave as `model.safetensors`, or those of one checkpoint, on all ranks.
  ///
  /// - Parameter name: Of the checkpoint; nil: the newest.
  init(
    _ configuration: RunConfiguration, checkpoint name: String?, over collectives: any Collectives
  ) throws {
    let spec = configuration.spec
    let folder = RunFolder(spec.outputFolder)
    let material = try RunMaterial(
      spec, over: collectives, inputPlace: configuration.place(of: "model.input"),
      checkOutputs: configuration.checkCounts
    ) {
      if let name { return try folder.checkpoints.load(named: name) }
      return try folder.newestCheckpoint()
    }
    let summation = try GradientSummation(spec, material.plans, over: collectives)
    let replica = try Replica(spec, plans: material.plans, summing: summation, over: collectives)
    checkpoint = try collectives.agree {
      guard let checkpoint = material.checkpoint else { throw noCheckpoint(folder) }
      try replica.restore(
        checkpoint.record, model: checkpoint.model, state: checkpoint.state,
        place: "\(folder.checkpoints.path)/\(checkpoint.name)")
      if name == nil, spec.training.earlyStopping != nil { replica.restoreBest() }
      return checkpoint
    }
    self.material = material
    self.summation = summation
    self.replica = replica
  }
}

private func noCheckpoint(_ folder: RunFolder) -> Diagnostic {
  Diagnostic(
    place: folder.checkpoints.path, problem: "there is no checkpoint",
    expected: "the checkpoints of a run with this config",
    remedy: "train it first, or set output.folder to the run's folder")
}
