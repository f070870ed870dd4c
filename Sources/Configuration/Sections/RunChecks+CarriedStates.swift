import Datasets
import Graph

/// What a layer that carries its state from window to window demands of the run.
extension RunChecks {
  static func checkCarriedStates(
    _ draft: RunDraft, _ site: SectionSite, _ faults: inout Faults
  ) {
    guard let layer = draft.run.model.carryingLayers.first else { return }
    func refuse(_ path: String, _ problem: String, expected: String, remedy: String) {
      faults.add(
        at: site.place(at: path), path: path,
        "\(problem), but \(layer.kind.configName) at \(layer.place) carries its state",
        expected: expected, remedy: remedy + ", or remove carry")
    }
    if site.isSound("data", in: faults) {
      checkWindows(draft.data.spec.source) { refuse($0, $1, expected: $2, remedy: $3) }
    }
    let steps = draft.run.training.localSteps
    if site.isSound("training.local_steps", in: faults), steps > 1 {
      refuse(
        "training.local_steps", "training.local_steps is \(steps)",
        expected: "1: the ranks take each step together",
        remedy: "set training.local_steps to 1")
    }
    if site.isSound("loss", "auxiliary_losses", in: faults), draft.run.comparesSamples {
      refuse(
        draft.run.loss.comparesSamples ? "loss" : "auxiliary_losses",
        "a loss compares the samples of a batch with each other",
        expected: "a loss of each window alone", remedy: "use another loss")
    }
  }

  /// A window goes on with a state only where it begins at the end of the window that left it.
  private static func checkWindows(
    _ source: DataSource,
    _ refuse: (_ path: String, _ problem: String, _ expected: String, _ remedy: String) -> Void
  ) {
    guard let windows = source.windows else {
      refuse(
        "data.format", "the samples do not follow each other",
        "windows of one sequence: data.format text, tokens or time_series", "use such data")
      return
    }
    if windows.choice == .random {
      refuse(
        "data.windows", "data.windows is random",
        "contiguous, so that each window begins where another one ended",
        "write windows: contiguous")
    }
    if windows.stride != windows.size {
      refuse(
        "data.stride", "data.stride is \(windows.stride)",
        "\(windows.size), as data.window, so that each window begins where another one ended",
        "set data.stride to \(windows.size)")
    }
  }
}

extension DataSource {
  /// How windows lie in one sequence; nil: samples are none of those.
  fileprivate var windows: (choice: WindowChoice, size: Int, stride: Int)? {
    switch self {
    case .text(let spec): (spec.windows, spec.window, spec.stride ?? spec.window)
    case .tokens(let spec): (spec.windows, spec.window, spec.stride ?? spec.window)
    case .series(let spec): (.contiguous, spec.window, spec.stride)
    case .idx, .npy, .csv, .generated, .generatedSequences: nil
    }
  }
}
