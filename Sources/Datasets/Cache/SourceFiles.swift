import Diagnostics

extension DataSource {
  /// Paths of the files to read, training first.
  package var paths: [String] {
    switch self {
    case .idx(let train, let dev, let test), .npy(let train, let dev, let test):
      [train, dev, test].compactMap { $0 }.flatMap {
        [$0.inputs] + $0.otherInputs + [$0.targets]
      }
    case .csv(let spec): [spec.train, spec.dev, spec.test].compactMap { $0 }
    case .text(let spec):
      spec.train + [spec.dev, spec.test].compactMap { $0 } + spec.level.paths
    case .tokens(let spec): [spec.train, spec.dev, spec.test].compactMap { $0 }
    case .series(let spec): [spec.train, spec.dev, spec.test].compactMap { $0 }
    case .generated, .generatedSequences: []
    }
  }

  var hasDevFiles: Bool {
    switch self {
    case .idx(_, let dev, _), .npy(_, let dev, _): dev != nil
    case .csv(let spec): spec.dev != nil
    case .text(let spec): spec.dev != nil
    case .tokens(let spec): spec.dev != nil
    case .series(let spec): spec.dev != nil
    case .generated, .generatedSequences: false
    }
  }

  var hasTestFiles: Bool {
    switch self {
    case .idx(_, _, let test), .npy(_, _, let test): test != nil
    case .csv(let spec): spec.test != nil
    case .text(let spec): spec.test != nil
    case .tokens(let spec): spec.test != nil
    case .series(let spec): spec.test != nil
    case .generated, .generatedSequences: false
    }
  }
}

extension TextLevel {
  /// Paths of the vocabulary's files.
  fileprivate var paths: [String] {
    if case .bytePair(let files) = self { [files.vocabulary, files.merges] } else { [] }
  }
}

/// Everything that prepared arrays depend on, in words: equal keys mean equal arrays.
///
/// - Throws: a `DiagnosticList` of all files that are missing.
func preparedKey(_ spec: DataSpec, seed: UInt64) throws -> String {
  var faults = DiagnosticList()
  let files = try spec.source.paths.compactMap { path in
    try faults.collect { try FileIdentity(of: path).description }
  }
  try faults.throwIfAny()
  var lines = ["target \(spec.target)"] + files
  if let ignored = spec.ignoredClass {
    lines.append("classes from \(spec.firstClass), \(ignored) for none")
  }
  switch spec.source {
  case .idx: lines.append("idx \(spec.source.hasDevFiles) \(spec.source.hasTestFiles)")
  case .npy(let train, let dev, let test):
    lines.append("npy \(spec.source.hasDevFiles) \(spec.source.hasTestFiles)")
    let others = [train, dev, test].compactMap { $0?.otherInputs.count }
    if others.contains(where: { $0 > 0 }) { lines.append("other inputs \(others)") }
  case .csv(let csv):
    // The vocabulary is that of the rows to train on, so it depends on the split.
    lines.append(
      "csv \(csv.dev != nil) \(csv.test != nil) \(csv.targets) \(csv.categorical) \(csv.ignored)"
        + " \(csv.separator) \(spec.classNames ?? []) \(spec.dev) \(spec.test) \(seed)")
  case .text(let text):
    lines.append(
      "text \(text.train.count) \(text.dev != nil) \(text.test != nil) \(text.level) \(text.window)"
        + " \(text.stride ?? text.window) \(spec.dev) \(spec.test)")
  case .tokens: preconditionFailure("tokens are not prepared")
  case .series(let series):
    lines.append(
      "series \(series.dev != nil) \(series.test != nil) \(series.inputs ?? ["*"]) \(series.targets)"
        + " \(series.ignored) \(series.separator) \(series.window) \(series.horizon)"
        + " \(series.stride) \(spec.dev) \(spec.test)")
  case .generatedSequences(let generated):
    lines.append("generated sequences \(generated) \(seed)")
  case .generated(let generated): lines.append("generated \(generated) \(seed)")
  }
  return lines.joined(separator: "\n")
}
