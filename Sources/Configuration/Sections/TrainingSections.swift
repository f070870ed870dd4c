import Graph
import Placement
import Training

/// How long and in what steps: the sections `training`, `evaluation`, `checkpoint`, `audit`, `plan`,
/// `communication`, `placement`.
extension Section where Root == TrainingSpec {
  static var training: Section {
    Section(
      defaults: TrainingSpec(),
      keys: [
        Key(
          "epochs", \.epochs, .wholeNumber(.atLeast(1), example: 10),
          "Passes over the training samples."),
        Key(
          "batch", \.batch, .wholeNumber(.atLeast(1), example: 128),
          "Samples per step over all ranks; a multiple of shards."),
        Key(
          "shards", \.shards, .wholeNumber(.atLeast(1), example: 8),
          "Micro-shards per batch, the most ranks a run can have; decides the bits, ranks do not."),
        Key(
          "local_steps", \.localSteps, .wholeNumber(.atLeast(1), example: 4),
          "Steps that each rank takes alone before all take the mean of their weights; above 1 results depend on the "
            + "ranks."),
        Key(
          "recompute", \.recompute, .word(["none": .nothing, "blocks": .blocks]),
          "blocks: backward computes again what the model's blocks computed inside of themselves, which takes less "
            + "memory and more time; the numbers stay the same."),
        Key(
          "max_steps", \.maxSteps, Format.wholeNumber(.atLeast(1), example: 1000).optional,
          "Ends the run early, schedules unchanged."),
        Key(
          "clip_norm", \.clipNorm, Format.number(.above(0), example: 1).optional,
          "The largest norm of the whole gradient."),
        Key(
          "clip_value", \.clipValue, Format.number(.above(0), example: 0.5).optional,
          "The largest magnitude of one element of the gradient."),
        Key(
          "ema_decay", \.emaDecay, Format.number(.between(0, 1), example: 0.999).optional,
          "Decay of the moving average of the weights, which evaluation then uses."),
        Key(
          "early_stopping", \.earlyStopping, earlyStopping.format.optional,
          "Stops when the dev metric no longer improves, and restores the best weights."),
      ],
      check: checkBatch)
  }

  private static var earlyStopping: Section<EarlyStoppingSpec> {
    Section<EarlyStoppingSpec>(
      defaults: EarlyStoppingSpec(patience: 0),
      keys: [
        Key(
          "patience", \.patience, .wholeNumber(.atLeast(1), example: 3),
          "Evaluations without an improvement before the run stops.", isRequired: true),
        Key(
          "minimum_delta", \.minimumDelta, .number(.atLeast(0), example: 0.001),
          "The least change that counts as an improvement."),
      ])
  }

  private static func checkBatch(
    _ training: TrainingSpec, _ site: SectionSite, _ faults: inout Faults
  ) {
    let (batch, shards) = (training.batch, training.shards)
    guard site.isSound("batch", "shards", in: faults), !batch.isMultiple(of: shards) else { return }
    let next = (batch / shards + 1).multipliedReportingOverflow(by: shards)
    let use = next.overflow ? "a smaller batch" : "\(next.partialValue)"
    let isBatchGiven = site.node?.value(of: "batch") != nil
    faults.add(
      at: site.place(of: isBatchGiven ? "batch" : "shards"), path: join(site.path, "batch"),
      "global batch \(batch) cannot be split evenly into \(shards) shards",
      expected: "a multiple of \(shards), so that every shard has the same shape",
      remedy: "use \(use), or set training.shards to a divisor of \(batch)")
  }
}

extension Section where Root == EvaluationSpec {
  static var evaluation: Section {
    Section(
      defaults: EvaluationSpec(),
      keys: [
        Key(
          "every_epochs", \.everyEpochs, .wholeNumber(.atLeast(1), example: 1),
          "Epochs between two evaluations."),
        Key(
          "batch", \.batch, Format.wholeNumber(.atLeast(1), example: 256).optional,
          "Samples per forward pass; null: as many as a shard has."),
      ])
  }
}

extension Section where Root == CheckpointSpec {
  static var checkpoint: Section {
    Section(
      defaults: CheckpointSpec(),
      keys: [
        Key(
          "every_seconds", \.everySeconds, .number(.above(0), example: 30),
          "Seconds between two checkpoints; at least four times what one takes."),
        Key(
          "keep", \.keep, .wholeNumber(.atLeast(1), example: 2),
          "Newest checkpoints kept beside the best one."),
        Key(
          "on_failure", \.onFailure, .word(["stop": .stop, "continue": .continue]),
          "What a failed save, as on a full disk, does to the run."),
      ])
  }
}

extension Section where Root == AuditSpec {
  static var audit: Section {
    Section(
      defaults: AuditSpec(),
      keys: [
        Key(
          "every_steps", \.everySteps, .wholeNumber(.atLeast(0), example: 50),
          "Steps between comparisons of all ranks' parameters; 0: never."),
        Key(
          "on_mismatch", \.onMismatch, .word(["stop": .stop, "heal": .heal]),
          "Whether ranks that differ end the run or get the bits of the majority (of rank 0, if none)."
        ),
      ])
  }
}

extension Section where Root == FailureSpec {
  static var failure: Section {
    Section(
      defaults: FailureSpec(),
      keys: [
        Key(
          "hang_timeout_seconds", \.hangTimeoutSeconds, .number(.atLeast(0), example: 300),
          "How long a rank may show no sign of work before the job ends and says where; 0: for ever."
        )
      ])
  }
}

extension Section where Root == PlanSpec {
  static var plan: Section {
    Section(
      defaults: PlanSpec(),
      keys: [
        Key("fusion", \.fusion, .truth, "Whether neighbouring operations are merged."),
        Key(
          "bucket_bytes", \.bucketBytes,
          Format.wholeNumber(.atLeast(4096), example: 1_048_576).optional,
          "Bytes of gradient that are summed at once; null: chosen at the start by timing a few sums."
        ),
      ])
  }
}

extension Section where Root == CommunicationSpec {
  static var communication: Section {
    Section(
      defaults: CommunicationSpec(),
      keys: [
        Key(
          "wire", \.wire,
          .word(["float32": .float32, "bfloat16": .bfloat16, "float16": .float16]),
          "How gradients travel between hosts; the 16-bit forms halve the traffic, feed rounding errors back, and "
            + "make results depend on the hosts.")
      ])
  }
}

extension Section where Root == ConvolutionSpec {
  static var convolution: Section {
    Section(
      defaults: ConvolutionSpec(),
      keys: [
        Key(
          "algorithm", \.algorithm,
          .word(["auto": .auto, "direct": .direct, "winograd": .winograd]),
          "winograd: 3 x 3 convolutions of stride 1 by tiles, with fewer products and larger rounding errors; auto: "
            + "by tiles where the layer's sizes promise a clear gain, the same on every machine."
        )
      ])
  }
}

extension Section where Root == PlacementSpec {
  static var placement: Section {
    Section(
      defaults: PlacementSpec(),
      keys: [
        Key(
          "pin", \.pin, .word(["auto": .auto, "off": .off]),
          "auto: each rank on a core of its own, if the launcher has not bound them and cores suffice."
        )
      ])
  }
}
