import Datasets
import Graph
import Optimizers
import Training

/// A run while defaults that depend on other keys are open.
struct RunDraft {
  var run: RunSpec
  var data: DataDraft
  /// nil: the name of the configuration's file.
  var name: String?
  var output = Output()

  struct Output {
    /// nil: `runs/<name>`.
    var folder: String?
  }

  /// What a finished run says.
  init(_ run: RunSpec) {
    self.run = run
    data = DataDraft(spec: run.data, target: run.data.target)
    name = run.name
    output.folder = run.outputFolder
  }

  /// Before anything is read. What is required holds stand-ins.
  init() {
    let data = DataSpec(source: .csv(CSVSpec(train: "", targets: [])))
    self.data = DataDraft(spec: data)
    run = RunSpec(
      name: "", seed: 1, data: data, model: ModelSpec(input: [], layers: []), loss: .meanSquared,
      optimizer: OptimizerSpec(rule: .sgd, learningRate: 0), schedule: ScheduleSpec(.constant),
      training: TrainingSpec(), evaluation: EvaluationSpec(), checkpoint: CheckpointSpec(),
      audit: AuditSpec(), plan: PlanSpec(), outputFolder: "")
  }

  /// The run with every default in place.
  ///
  /// - Parameter fileStem: The name of the configuration's file without its extension.
  func finished(fileStem: String) -> RunSpec {
    var run = run
    run.name = name ?? RunSection.name(from: fileStem)
    run.outputFolder = output.folder ?? "runs/\(run.name)"
    run.data = data.spec
    run.data.target = data.target ?? run.loss.impliedTarget
    run.data.ignoredClass = run.loss.ignoredClass
    run.data.firstClass = run.loss.firstClass
    return run
  }
}

extension LossSpec {
  /// The kind of target that the loss is for.
  var impliedTarget: TargetKind {
    switch self {
    case .softmaxCrossEntropy, .ctc: .classes
    case .sigmoidCrossEntropy: .multiHot
    case .meanSquared, .meanAbsolute, .huber: .values
    }
  }
}

/// The whole configuration.
enum RunSection {
  static var section: Section<RunDraft> {
    Section(
      defaults: RunDraft(), keys: identityKeys + learningKeys + runningKeys, check: RunChecks.check)
  }

  private static var identityKeys: [Key<RunDraft>] {
    let name = Format.text(example: "fashion-mnist").refined(
      expecting: "letters, digits, _, - and dots, the first one no dot", where: isName)
    return [
      Key(
        "name", \.name, name.optional, "The name of the run.", shownDefault: "(the file's name)"),
      Key(
        "seed", \.run.seed, .wholeNumber(.atLeast(0), example: 1),
        "Decides first weights, the order of samples, splits, dropout."),
    ]
  }

  private static var learningKeys: [Key<RunDraft>] {
    [
      Key("data", \.data, DataSection.format, "Where samples come from.", isRequired: true),
      Key("model", \.run.model, ModelSection.section.format, "The network.", isRequired: true),
      Key(
        "conv", \.run.convolution, Section.convolution.format, "How convolutions are computed."),
      Key("loss", \.run.loss, LossSection.format, "What training minimises.", isRequired: true),
      Key(
        "optimizer", \.run.optimizer, OptimizerSection.format, "The update rule.",
        isRequired: true),
      Key(
        "schedule", \.run.schedule, ScheduleSection.format, "The learning rate over the steps.",
        shownDefault: "constant"),
    ]
  }

  private static var runningKeys: [Key<RunDraft>] {
    [
      Key(
        "training", \.run.training, Section.training.format, "How long and in what batches."),
      Key("evaluation", \.run.evaluation, Section.evaluation.format, "When the model is judged."),
      Key("checkpoint", \.run.checkpoint, Section.checkpoint.format, "When the run is saved."),
      Key(
        "preemption", \.run.preemption, Section.preemption.format,
        "When the run makes way for the end of its job."),
      Key("audit", \.run.audit, Section.audit.format, "When ranks compare their replicas."),
      Key("failure", \.run.failure, Section.failure.format, "When a run that hangs ends."),
      Key(
        "plan", \.run.plan, Section.plan.format, "How a step is arranged; never changes results."),
      Key(
        "communication", \.run.communication, Section.communication.format,
        "What travels between ranks."),
      Key(
        "placement", \.run.placement, Section.placement.format, "Where ranks run on their hosts."),
      Key("output", \.output, output.format, "Where results go."),
    ]
  }

  private static var output: Section<RunDraft.Output> {
    let folder = Format.text("the path of a folder", example: "runs/first")
    return Section(
      defaults: RunDraft.Output(),
      keys: [
        Key(
          "folder", \.folder, folder.optional,
          "The run folder, relative to the working directory.", shownDefault: "runs/<name>")
      ])
  }
  /// A name for the run from any name of a file.
  static func name(from fileStem: String) -> String {
    let letters = fileStem.map { isName("a\($0)") ? $0 : "-" }
    let name = String(letters.drop { $0 == "." })
    return name.isEmpty ? "run" : name
  }

  private static func isName(_ name: String) -> Bool {
    LayerChoice.isName(name.replacing(".", with: "")) && !name.hasPrefix(".")
  }
}
