import Datasets
import Graph
import Kernels
import Optimizers
import Placement

/// Everything one run is: what the config says after overrides, defaults filled in, checked.
package struct RunSpec: Equatable, Sendable {
  package var name: String
  package var seed: UInt64
  package var data: DataSpec
  package var model: ModelSpec
  package var loss: LossSpec
  /// The name of the layer that the model's end is compared with, or `input`; nil: the data's targets.
  package var lossTarget: String?
  /// Of layers inside of the model.
  package var auxiliaryLosses: [AuxiliaryLoss] = []
  /// nil: all weights start at random.
  package var initialWeights: InitialWeightsSpec?
  package var optimizer: OptimizerSpec
  package var schedule: ScheduleSpec
  package var training: TrainingSpec
  package var evaluation: EvaluationSpec
  package var checkpoint: CheckpointSpec
  package var preemption = PreemptionSpec()
  package var audit: AuditSpec
  package var plan: PlanSpec
  package var convolution = ConvolutionSpec()
  package var communication = CommunicationSpec()
  package var failure = FailureSpec()
  package var placement = PlacementSpec()
  /// The run folder, relative to the working directory.
  package var outputFolder: String

  package init(
    name: String, seed: UInt64, data: DataSpec, model: ModelSpec, loss: LossSpec,
    optimizer: OptimizerSpec, schedule: ScheduleSpec, training: TrainingSpec,
    evaluation: EvaluationSpec, checkpoint: CheckpointSpec, audit: AuditSpec, plan: PlanSpec,
    outputFolder: String
  ) {
    self.name = name
    self.seed = seed
    self.data = data
    self.model = model
    self.loss = loss
    self.optimizer = optimizer
    self.schedule = schedule
    self.training = training
    self.evaluation = evaluation
    self.checkpoint = checkpoint
    self.audit = audit
    self.plan = plan
    self.outputFolder = outputFolder
  }
}

extension RunSpec {
  /// Whether the loss compares the model's end with the data's targets.
  package var comparesWithData: Bool { lossTarget == nil && !loss.isPairwise }

  /// Whether a loss compares the samples of a micro-shard with each other.
  package var comparesSamples: Bool {
    loss.comparesSamples || auxiliaryLosses.contains(where: \.kind.comparesSamples)
  }

  /// Whether targets must be class numbers, to be read or because nothing else is read.
  package var needsClasses: Bool {
    !comparesWithData || auxiliaryLosses.contains(where: \.kind.readsClasses)
  }

  /// Whether an output can be right or wrong.
  package var countsRightAnswers: Bool { comparesWithData && loss.countsRightAnswers }
}

package struct TrainingSpec: Equatable, Sendable {
  package var epochs = 1
  /// Samples per step over all ranks.
  package var batch = 128
  /// Micro-shards per batch: the leaves of the summation tree, the most ranks a run can have.
  package var shards = 8
  /// Steps that every rank takes alone before the replicas become their mean; 1: all take each together.
  package var localSteps = 1
  /// Ends the run early, schedules unchanged.
  package var maxSteps: Int?
  /// Largest allowed L2 norm of the whole gradient.
  package var clipNorm: Double?
  /// Largest allowed magnitude of one gradient element.
  package var clipValue: Double?
  package var earlyStopping: EarlyStoppingSpec?
  /// What backward computes again instead of keeping it from forward; the numbers stay the same.
  package var recompute = Recomputation.nothing
  /// Decay of the exponential moving average of the weights; evaluation and export use it.
  package var emaDecay: Double?

  package init() {}
}

/// Stops when the dev metric has not improved by `minimumDelta` for `patience` evaluations; the best
/// weights are restored.
package struct EarlyStoppingSpec: Equatable, Sendable {
  package var patience: Int
  package var minimumDelta = 0.0

  package init(patience: Int) {
    self.patience = patience
  }
}

package struct EvaluationSpec: Equatable, Sendable {
  package var everyEpochs = 1
  /// Samples per forward pass; nil: as many as a micro-shard has.
  package var batch: Int?

  package init() {}
}

package struct CheckpointSpec: Equatable, Sendable {
  package var everySeconds = 30.0
  /// Newest checkpoints kept beside the best one.
  package var keep = 2
  package var onFailure = SaveFailure.stop

  package init() {}
}

/// What a failed save (a full disk) does to the run.
package enum SaveFailure: String, CaseIterable, Sendable {
  case stop
  case `continue`
}

/// When a run makes way for the end of its job.
package struct PreemptionSpec: Equatable, Sendable {
  /// Seconds before the job's end at which the run stops, beside what a save takes.
  package var graceSeconds = 60.0
  /// nil: the job has none.
  package var endTime: JobEndTime? = .automatic

  package init() {}
}

package enum JobEndTime: Equatable, Sendable {
  /// What the batch system says in the environment.
  case automatic
  /// Seconds since 1970.
  case at(Int)
}

package struct AuditSpec: Equatable, Sendable {
  /// Steps between comparisons of all ranks' parameters; 0: never.
  package var everySteps = 50
  package var onMismatch = MismatchResponse.stop

  package init() {}
}

/// What an audit does when replicas differ.
package enum MismatchResponse: String, CaseIterable, Sendable {
  /// The run ends; its next start resumes from a checkpoint of before.
  case stop
  /// The ranks in the minority get the others' bits, and the run goes on.
  case heal
}

package struct FailureSpec: Equatable, Sendable {
  /// How long a rank may show no sign of work; 0: for ever.
  package var hangTimeoutSeconds = 300.0

  package init() {}
}

package struct PlanSpec: Equatable, Sendable {
  /// Rewrites of the plan that merge neighbouring operations; the numbers stay the same.
  package var fusion = true
  /// Bytes of gradient that are summed at once; nil: chosen at the start by measuring.
  package var bucketBytes: Int?

  package init() {}
}

package struct ConvolutionSpec: Equatable, Sendable {
  package var algorithm = ConvolutionAlgorithm.auto

  package init() {}
}

package struct CommunicationSpec: Equatable, Sendable {
  /// How gradients travel between hosts; what is not float32 is rounded, with feedback of the error.
  package var wire = WireFormat.float32

  package init() {}
}
