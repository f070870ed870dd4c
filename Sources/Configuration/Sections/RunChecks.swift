import Datasets
import Graph

/// What sections demand of each other.
enum RunChecks {
  static func check(_ draft: RunDraft, _ site: SectionSite, _ faults: inout Faults) {
    checkStopping(draft, site, &faults)
    checkEvaluation(draft, site, &faults)
    checkStratification(draft, site, &faults)
    checkGenerated(draft, site, &faults)
    checkTarget(draft, site, &faults)
    checkLosses(draft, site, &faults)
    checkClassTarget(draft, site, &faults)
    checkPadding(draft, site, &faults)
    checkBuckets(draft, site, &faults)
    checkLocalSteps(draft, site, &faults)
    checkRecomputation(draft, site, &faults)
    checkCarriedStates(draft, site, &faults)
  }

  /// Without blocks nothing would be computed again.
  private static func checkRecomputation(
    _ draft: RunDraft, _ site: SectionSite, _ faults: inout Faults
  ) {
    let path = "training.recompute"
    guard site.isSound(path, "model", in: faults), draft.run.training.recompute == .blocks,
      !draft.run.model.hasBlocks
    else { return }
    faults.add(
      at: site.place(at: path), path: path,
      "training.recompute is blocks, but the model has none",
      expected: "layers inside of repeat, residual, parallel, sequence or a block of model.blocks",
      remedy: "put layers that follow each other into sequence, or remove recompute")
  }

  /// Ranks that step alone have nothing to share within a step.
  private static func checkLocalSteps(
    _ draft: RunDraft, _ site: SectionSite, _ faults: inout Faults
  ) {
    let steps = draft.run.training.localSteps
    guard site.isSound("training.local_steps", in: faults), steps > 1 else { return }
    func refuse(_ path: String, _ what: String, expected: String, remedy: String) {
      faults.add(
        at: site.place(at: path), path: path,
        "\(what), but training.local_steps is \(steps)", expected: expected,
        remedy: remedy + ", or set training.local_steps to 1")
    }
    let wire = draft.run.communication.wire
    if site.isSound("communication.wire", in: faults), wire != .float32 {
      refuse(
        "communication.wire", "communication.wire is \(wire.rawValue)",
        expected: "float32 where hosts exchange weights, which are not rounded",
        remedy: "remove wire")
    }
    if site.isSound("optimizer", in: faults), draft.run.optimizer.state == .sharded {
      refuse(
        "optimizer.state", "optimizer.state is sharded",
        expected: "a state of its own for each rank that steps alone", remedy: "remove state")
    }
    if site.isSound("model", in: faults), let norm = draft.run.model.wholeBatchNorms.first {
      refuse(
        "model", "batch_norm at \(norm.place) takes the statistics of the whole batch",
        expected: "statistics that a rank can take alone", remedy: "use statistics: shard")
    }
  }

  /// Class numbers are what softmax cross-entropy reads; other losses compare numbers.
  private static func checkTarget(
    _ draft: RunDraft, _ site: SectionSite, _ faults: inout Faults
  ) {
    guard site.isSound("data.target_kind", "loss", in: faults), draft.data.target == .classes,
      draft.run.lossTarget == nil, draft.run.loss.impliedTarget != .classes
    else { return }
    faults.add(
      at: site.place(at: "data.target_kind"), path: "data.target_kind",
      "data.target_kind is classes, but the loss compares the outputs with numbers",
      expected: "multi_hot or values for this loss",
      remedy: "remove target_kind, or use softmax_cross_entropy")
  }

  /// What losses beside that of the model's end, and those that compare outputs with each other, read of the targets.
  private static func checkLosses(
    _ draft: RunDraft, _ site: SectionSite, _ faults: inout Faults
  ) {
    guard site.isSound("data.target_kind", "loss", "auxiliary_losses", in: faults) else { return }
    let run = draft.run
    let target =
      draft.data.target ?? (run.lossTarget == nil ? run.loss.impliedTarget : .classes)
    if run.needsClasses, target != .classes {
      faults.add(
        at: site.place(at: "data.target_kind"), path: "data.target_kind",
        "the targets are numbers, but a loss asks for the classes of samples, or for no targets",
        expected: "data.target_kind: classes", remedy: "write target_kind: classes under data")
    }
    for (index, term) in run.auxiliaryLosses.enumerated() {
      guard term.target == nil, case .loss(let loss) = term.kind, !loss.isPairwise,
        target == .classes, loss.impliedTarget != .classes
      else { continue }
      let path = "auxiliary_losses.\(index)"
      faults.add(
        at: site.place(at: path), path: path,
        "\(path) compares \(term.output) with numbers, but the targets are classes",
        expected: "a target, or softmax_cross_entropy", remedy: "add target: NAME, or target: input"
      )
    }
  }

  /// Labels and classes to ignore are numbers of classes.
  private static func checkClassTarget(
    _ draft: RunDraft, _ site: SectionSite, _ faults: inout Faults
  ) {
    guard site.isSound("data.target_kind", "loss", in: faults), let target = draft.data.target,
      target != .classes, draft.run.loss.ignoredClass != nil
    else { return }
    let word = target == .multiHot ? "multi_hot" : "values"
    faults.add(
      at: site.place(at: "data.target_kind"), path: "data.target_kind",
      "data.target_kind is \(word), but the loss knows a class number that stands for none",
      expected: "class numbers for this loss", remedy: "remove target_kind, or loss.ignore")
  }

  /// Inputs that are moved by their mean have no padding of one number any more.
  private static func checkPadding(
    _ draft: RunDraft, _ site: SectionSite, _ faults: inout Faults
  ) {
    guard site.isSound("data.normalize", "model", in: faults),
      draft.run.model.masksInput,
      draft.data.spec.normalization == .standardize
    else { return }
    faults.add(
      at: site.place(at: "data.normalize"), path: "data.normalize",
      "data.normalize is standardize, after which the masking layer finds no padding",
      expected: "inputs as they are stored, or divided by a number",
      remedy: "remove normalize, and standardize before padding")
  }

  /// Batches of shorter sequences are the beginnings of what the model's input is.
  private static func checkBuckets(
    _ draft: RunDraft, _ site: SectionSite, _ faults: inout Faults
  ) {
    let path = "data.buckets"
    let (model, ends) = (draft.run.model, draft.data.spec.lengthBuckets)
    guard site.isSound(path, "data.augment", "model", in: faults), let last = ends.last else {
      return
    }
    func refuse(_ problem: String, expected: String, remedy: String) {
      faults.add(
        at: site.place(at: path), path: path, problem, expected: expected, remedy: remedy)
    }
    if draft.data.spec.augment != nil {
      refuse(
        "data.buckets is for sequences, but data.augment changes images", expected: "one of both",
        remedy: "remove buckets or augment")
    }
    if !model.inputs.isEmpty {
      refuse(
        "data.buckets cuts the steps of one input, but the model has \(model.inputs.count)",
        expected: "model.input: [steps] or [steps, channels]", remedy: "remove buckets")
    } else if !(1...2).contains(model.input.count) || model.input[0] != last {
      refuse(
        "data.buckets ends with \(last) steps, but model.input is \(model.input)",
        expected:
          "the padded number of steps as the last, [steps] or [steps, channels] as the input",
        remedy: "end buckets with \(model.input[0]), or remove it")
    }
  }

  private static func hasJudges(_ draft: RunDraft) -> Bool {
    draft.data.spec.dev != .none || draft.data.spec.test != .none
  }

  private static func checkStopping(
    _ draft: RunDraft, _ site: SectionSite, _ faults: inout Faults
  ) {
    guard
      site.isSound(
        "data.format", "data.dev", "training.early_stopping", in: faults),
      draft.run.training.earlyStopping != nil, draft.data.spec.dev == .none
    else { return }
    faults.add(
      at: site.place(at: "training.early_stopping"),
      path: "training.early_stopping",
      "training.early_stopping has no dev data to judge by",
      expected: "samples that are neither trained nor tested on",
      remedy: "add dev: {fraction: 0.1} under data, or remove early_stopping")
  }

  private static func checkEvaluation(
    _ draft: RunDraft, _ site: SectionSite, _ faults: inout Faults
  ) {
    let settings = draft.run.evaluation
    let key = settings.batch == nil ? "every_epochs" : "batch"
    guard site.isSound("data.format", "data.dev", "data.test", "evaluation", in: faults),
      !hasJudges(draft),
      settings.batch != nil || settings.everyEpochs != 1
    else { return }
    faults.add(
      at: site.place(at: "evaluation.\(key)"), path: "evaluation.\(key)",
      "evaluation.\(key) is set, but there is neither dev nor test data to evaluate",
      expected: "samples that are not trained on",
      remedy: "add dev: {fraction: 0.1} under data, or remove \(key)")
  }

  private static func checkStratification(
    _ draft: RunDraft, _ site: SectionSite, _ faults: inout Faults
  ) {
    guard site.isSound("data.format", "data.target_kind", "loss", in: faults) else { return }
    let target = draft.data.target ?? draft.run.loss.impliedTarget
    for (name, part) in [("dev", draft.data.spec.dev), ("test", draft.data.spec.test)] {
      guard target == .values, part.isStratified, !faults.touch("data.\(name).stratified") else {
        continue
      }
      let path = "data.\(name).stratified"
      faults.add(
        at: site.place(at: path), path: path,
        "\(path) is true, but the targets are numbers without classes",
        expected: "targets of the kind classes or multi_hot", remedy: "remove stratified")
    }
  }

  private static func checkGenerated(
    _ draft: RunDraft, _ site: SectionSite, _ faults: inout Faults
  ) {
    guard site.isSound("data.format", "data.kind", "data.classes", in: faults),
      case .generated(let generated) = draft.data.spec.source, generated.classes != 2,
      ![.blobs, .spirals, .images].contains(generated.kind)
    else { return }
    faults.add(
      at: site.place(at: "data.classes"), path: "data.classes",
      "data.classes is \(generated.classes) for \(generated.kind.rawValue)",
      expected: "2, since only blobs, spirals and images have a choice",
      remedy: "remove classes, or set data.kind to blobs, spirals or images")
  }
}

extension ModelSpec {
  /// Whether padding is looked for in what the data bring.
  fileprivate var masksInput: Bool {
    let names = [ModelSpec.inputName] + inputs.map(\.name)
    return layers.enumerated().contains { index, layer in
      guard case .masking = layer.kind else { return false }
      return layer.source.map(names.contains) ?? (index == 0)
    }
  }
}

extension PartSpec {
  var isStratified: Bool {
    switch self {
    case .fraction(_, let isStratified), .count(_, let isStratified): isStratified
    case .none, .files: false
    }
  }
}

extension ConfigurationNode {
  /// The place of the value at `path`, or of the innermost value on the way that exists.
  func place(at path: String) -> Place {
    var node = self
    for step in path.split(separator: ".").map(String.init) {
      if let next = node.value(of: step) {
        node = next
      } else if let items = node.items, let index = Int(step), items.indices.contains(index) {
        node = items[index]
      } else {
        break
      }
    }
    return node.place
  }
}
