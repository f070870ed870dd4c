import Configuration
import Datasets
import Graph
import Optimizers
import Testing
import Training

@Suite("sections")
struct SectionTests {
  @Test(
    "every loss is read, in each of its forms",
    arguments: [
      ("softmax_cross_entropy", LossSpec.softmaxCrossEntropy(labelSmoothing: 0, classWeights: nil)),
      (
        "{softmax_cross_entropy: {label_smoothing: 0.1, class_weights: [1, 2.5]}}",
        .softmaxCrossEntropy(labelSmoothing: 0.1, classWeights: [1, 2.5])
      ),
      (
        "{kind: softmax_cross_entropy, label_smoothing: 0.1}",
        .softmaxCrossEntropy(labelSmoothing: 0.1, classWeights: nil)
      ),
      ("sigmoid_cross_entropy", .sigmoidCrossEntropy(classWeights: nil)),
      (
        "{kind: sigmoid_cross_entropy, class_weights: [3]}",
        .sigmoidCrossEntropy(classWeights: [3])
      ),
      ("mean_squared", .meanSquared), ("mean_absolute", .meanAbsolute),
      ("huber", .huber(delta: 1)), ("{huber: {delta: 2}}", .huber(delta: 2)),
      ("{huber: 2}", .huber(delta: 2)), ("{kind: huber, delta: 0.5}", .huber(delta: 0.5)),
    ])
  func loss(text: String, expected: LossSpec) throws {
    #expect(try varied("loss: \(text)").loss == expected)
  }

  @Test(
    "every update rule is read",
    arguments: [
      ("kind: sgd", UpdateRule.sgd), ("kind: momentum", .exponentialMomentum(beta: 0.9)),
      ("kind: momentum, beta: 0.8, form: exponential", .exponentialMomentum(beta: 0.8)),
      ("kind: momentum, form: classical", .momentum(beta: 0.9, nesterov: false)),
      ("kind: momentum, form: classical, nesterov: true", .momentum(beta: 0.9, nesterov: true)),
      ("kind: rmsprop, beta: 0.99, epsilon: 1e-6", .rmsprop(beta: 0.99, epsilon: 1e-6)),
      ("kind: adagrad, epsilon: 1e-10", .adagrad(epsilon: 1e-10)),
      ("kind: adam", .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8)),
      (
        "kind: adamw, beta1: 0.8, beta2: 0.95, epsilon: 1e-6",
        .adam(beta1: 0.8, beta2: 0.95, epsilon: 1e-6)
      ),
      ("kind: lars", .lars(momentum: 0.9, trust: 0.001)),
      ("kind: lars, momentum: 0.8, trust: 0.01", .lars(momentum: 0.8, trust: 0.01)),
      ("kind: lamb", .lamb(beta1: 0.9, beta2: 0.999, epsilon: 1e-6)),
      (
        "kind: lamb, beta1: 0.8, beta2: 0.95, epsilon: 1e-5",
        .lamb(beta1: 0.8, beta2: 0.95, epsilon: 1e-5)
      ),
    ])
  func optimizer(text: String, expected: UpdateRule) throws {
    let spec = try varied("optimizer: {\(text), learning_rate: 0.01}").optimizer
    #expect(spec.rule == expected)
    #expect(spec.learningRate == 0.01)
    let decays = ["adamw": 0.01, "lamb": 0.01, "lars": 0.0005]
    #expect(spec.weightDecay == (decays.first { text.contains($0.key) }?.value ?? 0))
    #expect(spec.scale == BatchScaling() && !spec.adaptsBiasesAndNorms)
  }

  @Test("the rule by which the rate follows the batch is read")
  func scale() throws {
    func scale(_ text: String) throws -> BatchScaling {
      try varied("optimizer: {kind: lamb, learning_rate: 0.01, scale: \(text)}").optimizer.scale
    }
    #expect(
      try scale("{rule: linear, base_batch: 256}") == BatchScaling(rule: .linear, baseBatch: 256))
    #expect(
      try scale("{rule: square_root, base_batch: 32}")
        == BatchScaling(rule: .squareRoot, baseBatch: 32))
    #expect(try scale("{rule: none}") == BatchScaling())
    #expect(try scale("{rule: none, base_batch: 8}") == BatchScaling(rule: .none, baseBatch: 8))
    #expect(try scale("{}") == BatchScaling())
  }

  @Test("penalties and groups of parameters are read")
  func penalties() throws {
    let spec = try varied(
      """
      optimizer:
        kind: adamw
        learning_rate: 0.01
        weight_decay: 0.1
        l2: 0.2
        l1: 0.3
        decay_biases_and_norms: true
        groups:
          - {match: layers.0.*, learning_rate_factor: 0.1}
          - {match: embedding, weight_decay: 0, l2: 0.5, l1: 0.25}
      """
    ).optimizer
    var expected = OptimizerSpec(
      rule: .adam(beta1: 0.9, beta2: 0.999, epsilon: 1e-8), learningRate: 0.01)
    expected.weightDecay = 0.1
    expected.l2 = 0.2
    expected.l1 = 0.3
    expected.decaysBiasesAndNorms = true
    var first = ParameterGroupSpec(match: "layers.0.*")
    first.learningRateFactor = 0.1
    var second = ParameterGroupSpec(match: "embedding")
    second.weightDecay = 0
    second.l2 = 0.5
    second.l1 = 0.25
    expected.groups = [first, second]
    #expect(spec == expected)
  }

  @Test(
    "every schedule is read",
    arguments: [
      ("constant", ScheduleShape.constant), ("{kind: constant}", .constant),
      ("{kind: step, every_epochs: 10}", .step(everyEpochs: 10, factor: 0.1)),
      ("{kind: step, every_epochs: 2.5, factor: 0.5}", .step(everyEpochs: 2.5, factor: 0.5)),
      ("{kind: exponential, factor: 0.9}", .exponential(factor: 0.9)),
      ("{kind: inverse_time, rate: 1}", .inverseTime(rate: 1)),
      ("{kind: polynomial, power: 2, final: 0.1}", .polynomial(power: 2, final: 0.1)),
      ("cosine", .cosine(final: 0)), ("{kind: cosine, final: 0.01}", .cosine(final: 0.01)),
      ("one_cycle", .oneCycle(warmupFraction: 0.3, start: 0.04, final: 0.000004)),
      (
        "{kind: one_cycle, warmup_fraction: 0.2, start: 0.1, final: 0.001}",
        .oneCycle(warmupFraction: 0.2, start: 0.1, final: 0.001)
      ),
    ])
  func schedule(text: String, expected: ScheduleShape) throws {
    let spec = try varied("schedule: \(text)").schedule
    #expect(spec.shape == expected)
    #expect(spec.warmup == .none)
  }

  @Test("a schedule may warm up by steps or by a part of the run")
  func warmup() throws {
    #expect(
      try varied("schedule: {kind: cosine, warmup_steps: 500}").schedule.warmup == .steps(500))
    #expect(
      try varied("schedule: {kind: constant, warmup_fraction: 0.1}").schedule.warmup
        == .fraction(0.1))
  }

  @Test("every key of the running sections is read")
  func running() throws {
    let spec = try read(
      smallest + """

        name: first-run.2
        seed: 18446744073709551615
        training:
          epochs: 3
          batch: 60
          shards: 4
          local_steps: 2
          max_steps: 40
          clip_norm: 1.5
          clip_value: 0.5
          ema_decay: 0.999
        evaluation: {every_epochs: 1, batch: null}
        checkpoint: {every_seconds: 0.5, keep: 3, on_failure: continue}
        preemption: {grace_seconds: 120, end_time: 2026-03-01T18:00:00+01:00}
        audit: {every_steps: 0}
        plan: {fusion: false, bucket_bytes: 4096}
        output: {folder: ~/runs/x}
        """
    ).spec
    var training = TrainingSpec()
    training.epochs = 3
    training.batch = 60
    training.shards = 4
    training.localSteps = 2
    training.maxSteps = 40
    training.clipNorm = 1.5
    training.clipValue = 0.5
    training.emaDecay = 0.999
    #expect(spec.training == training)
    #expect(spec.name == "first-run.2")
    #expect(spec.seed == .max)
    #expect(spec.evaluation == EvaluationSpec())
    #expect(spec.checkpoint.everySeconds == 0.5)
    #expect(spec.checkpoint.keep == 3)
    #expect(spec.checkpoint.onFailure == .continue)
    #expect(spec.audit.everySteps == 0)
    #expect(spec.plan.fusion == false)
    #expect(spec.plan.bucketBytes == 4096)
    #expect(spec.outputFolder == "/home/user/runs/x")
  }

  @Test("what is not written has its default")
  func defaults() throws {
    let spec = try read(smallest).spec
    #expect(spec.name == "small")
    #expect(spec.seed == 1)
    #expect(spec.outputFolder == "runs/small")
    #expect(spec.training == TrainingSpec())
    #expect(spec.schedule == ScheduleSpec(.constant))
    #expect(spec.evaluation == EvaluationSpec())
    #expect(spec.checkpoint == CheckpointSpec())
    #expect(spec.audit == AuditSpec())
    #expect(spec.plan == PlanSpec())
  }

  @Test("null is the default of every key that has one")
  func null() throws {
    let spec = try read(
      smallest + "\ntraining: {epochs: null, clip_norm: ~, shards: }\naudit: null\nname: null"
    ).spec
    #expect(spec.training == TrainingSpec())
    #expect(spec.audit == AuditSpec())
    #expect(spec.name == "small")
  }

  @Test("early stopping is read when there is something to judge by")
  func earlyStopping() throws {
    let spec = try read(
      smallest, "data.dev.fraction=0.2",
      "training.early_stopping={patience: 4, minimum_delta: 0.01}"
    ).spec
    #expect(spec.training.earlyStopping?.patience == 4)
    #expect(spec.training.earlyStopping?.minimumDelta == 0.01)
  }
}
