import Diagnostics

/// The parts of a data set, ready to be read, and what is known about them.
package struct LoadedData: Sendable {
  package let train: DataPart
  package let dev: DataPart?
  package let test: DataPart?
  package let shape: DataShape
  package let statistics: NormalizationStatistics
  /// nil: training images are not changed.
  package let augmentation: ImageAugmentation?
  /// nil: training windows start where they lie.
  package let windows: WindowDraw?
  /// Where the arrays lie; nil: in memory of this process alone.
  package let path: String?
  /// Sentences for the user, each about something that may not be what was meant.
  package let warnings: [String]

  /// Checks the data and writes them to the node's cache, so that `open` is quick on all ranks.
  ///
  /// One process per node calls this while the others wait; several at once only work twice.
  ///
  /// - Parameters:
  ///   - outputs: The model's last width; nil when no model is at hand.
  ///   - answers: For how many steps of a sample the model gives so many outputs.
  /// - Throws: a `Diagnostic` or `DiagnosticList` of everything that is wrong with the data.
  package static func prepare(
    _ spec: DataSpec, seed: UInt64, outputs: Int?, answers: Int = 1, cache: DataCache = .standard
  ) throws {
    try checkSettings(spec)
    guard spec.isCached else { return }
    let key = try preparedKey(spec, seed: seed)
    guard cache.file(for: key, checksData: true) == nil else { return }
    _ = try cache.store(key: key) {
      try decode(spec, seed: seed, outputs: outputs, answers: answers, key: key, into: $0)
    }
  }

  /// Opens prepared data; decodes them into memory of this process where no cache folder could be
  /// written.
  ///
  /// - Parameter statistics: Those of a checkpoint; nil: computed from the training part.
  /// - Throws: a `Diagnostic` or `DiagnosticList` of everything that is wrong with the data.
  package static func open(
    _ spec: DataSpec, seed: UInt64, outputs: Int?, answers: Int = 1,
    statistics: NormalizationStatistics? = nil, cache: DataCache = .standard
  ) throws -> LoadedData {
    try checkSettings(spec)
    let file = try preparedFile(
      spec, seed: seed, outputs: outputs, answers: answers, cache: cache)
    return try LoadedData(file, spec: spec, seed: seed, outputs: outputs, statistics: statistics)
  }

  private init(
    _ file: PreparedFile, spec: DataSpec, seed: UInt64, outputs: Int?,
    statistics given: NormalizationStatistics?
  ) throws {
    let header = file.header
    var shape = header.shape
    shape.target = try shape.target.named(spec.classNames, outputs: outputs)
    func dataset(_ layout: PartLayout, _ own: MappedArray? = nil) -> Dataset {
      Dataset(layout, shape: shape, storage: own ?? file.storage)
    }
    let all = dataset(header.train)
    let hasClasses = if case .classes = shape.target { true } else { false }
    let split = try Split(
      count: all.count, dev: header.dev == nil ? spec.dev : .none,
      test: header.test == nil ? spec.test : .none, seed: seed,
      label: hasClasses ? { all.label(of: Int($0)) } : nil)
    train = DataPart(all, samples: split.train)
    dev =
      header.dev.map { DataPart(dataset($0, file.devStorage)) }
      ?? split.dev.map { DataPart(all, samples: $0) }
    test =
      header.test.map { DataPart(dataset($0, file.testStorage)) }
      ?? split.test.map { DataPart(all, samples: $0) }
    self.shape = shape
    path = file.path
    augmentation = try imageAugmentation(spec.augment, shape: shape, seed: seed)
    windows =
      spec.source.windows == .random ? WindowDraw(starts: all.windows.starts, seed: seed) : nil
    if let given { try checkStatistics(given, shape: shape) }
    statistics =
      given ?? header.moments.map { NormalizationStatistics(spec.normalization, series: $0) }
      ?? NormalizationStatistics(spec.normalization, of: train)
    warnings = header.warnings + Self.warnings(file, spec: spec, header.shape, outputs: outputs)
  }

  private static func warnings(
    _ file: PreparedFile, spec: DataSpec, _ shape: DataShape, outputs: Int?
  ) -> [String] {
    var warnings: [String] = []
    if file.path == nil, spec.isCached {
      warnings.append(
        "no cache folder can be written, so every process keeps its own copy of the data;"
          + " set XDG_CACHE_HOME to a folder on a local disk")
    }
    if case .classes(let count, _) = shape.target, let outputs, count < outputs {
      warnings.append("the model has \(outputs) outputs, but the data only use \(count) classes")
    }
    return warnings
  }
}

extension LoadedData {
  /// Loads training batches as a run's steps see them.
  package func trainLoader<S: BinaryFloatingPoint & BitwiseCopyable & Sendable>(
    of scalar: S.Type
  ) -> BatchLoader<S> {
    BatchLoader(part: train, statistics: statistics, augmentation: augmentation, windows: windows)
  }
}

extension DataSpec {
  /// Whether decoded arrays are worth keeping: generated ones are made as quickly, tokens lie in their file.
  fileprivate var isCached: Bool {
    switch source {
    case .generated, .generatedSequences, .tokens: false
    case .idx, .npy, .csv, .text, .series: true
    }
  }
}

extension DataSource {
  fileprivate var windows: WindowChoice {
    switch self {
    case .text(let spec): spec.windows
    case .tokens(let spec): spec.windows
    default: .contiguous
    }
  }
}

/// The cache's file, or one decoded here and now.
private func preparedFile(
  _ spec: DataSpec, seed: UInt64, outputs: Int?, answers: Int, cache: DataCache
) throws -> PreparedFile {
  if case .tokens(let tokens) = spec.source {
    let file = try TokenFiles(spec: tokens, data: spec).open()
    try checkWidth(file.header.shape.target, spec, outputs: outputs, answers: answers)
    return file
  }
  let key = try preparedKey(spec, seed: seed)
  if spec.isCached, let file = cache.file(for: key, checksData: false),
    file.header.shape.target.fits(outputs, answers: answers)
  {
    return file
  }
  // Data of another width than the model's are read again, to say where they go wrong.
  let writer = PreparedFileWriter()
  let header = try decode(
    spec, seed: seed, outputs: outputs, answers: answers, key: key, into: writer)
  try checkWidth(header.shape.target, spec, outputs: outputs, answers: answers)
  return try writer.finish(header)
}

private func checkWidth(
  _ target: TargetLayout, _ spec: DataSpec, outputs: Int?, answers: Int
) throws {
  guard !target.fits(outputs, answers: answers) else { return }
  throw wrongWidth(
    target, outputs: outputs ?? 0, answers: answers, areLabels: spec.firstClass > 0)
}

extension TargetLayout {
  fileprivate func fits(_ outputs: Int?, answers: Int) -> Bool {
    guard let outputs else { return true }
    guard self.answers == answers else { return false }
    switch self {
    case .classes(let count, _), .classSequence(let count, _, _): return count <= outputs
    case .numbers(let width, _, _): return width == outputs
    }
  }

  /// The layout with the user's names and as many classes as the model tells apart.
  fileprivate func named(_ names: [String]?, outputs: Int?) throws -> TargetLayout {
    if case .classSequence(let count, let steps, let names) = self {
      return .classSequence(count: max(count, outputs ?? count), steps: steps, names: names)
    }
    guard case .classes(let count, let own) = self else { return self }
    let total = max(count, outputs ?? names?.count ?? count)
    if let names, names.count != total {
      throw Diagnostic(
        place: "data.class_names", problem: "\(names.count) names for \(total) classes",
        expected: "\(total) names in the order of the class numbers",
        remedy: "add or remove names")
    }
    let padded = own.map { $0 + ($0.count..<total).map { "class \($0)" } }
    return .classes(count: total, names: names ?? padded)
  }
}

private func wrongWidth(
  _ target: TargetLayout, outputs: Int, answers: Int, areLabels: Bool
) -> Diagnostic {
  guard target.answers == answers else {
    guard !areLabels else {
      return Diagnostic(
        place: "data", problem: "samples have places for \(target.answers) labels each",
        expected: "\(answers), as loss.labels says", remedy: "set loss.labels to \(target.answers)")
    }
    return Diagnostic(
      place: "data",
      problem: "samples have \(target.answers) class\(target.answers == 1 ? "" : "es") each",
      expected: "\(answers), since the model gives logits for \(answers) steps of a sample",
      remedy: target.answers == 1
        ? "end the model with last_step or global_average_pool and a dense layer"
        : "end the model with a dense layer over a sequence of \(target.answers) steps")
  }
  switch target {
  case .classSequence(let count, _, _):
    return Diagnostic(
      place: "data", problem: "the data have \(count) different tokens",
      expected: "at most \(outputs), since the model has \(outputs) outputs",
      remedy: "give the embedding and the last layer \(count)")
  case .classes(let count, let names):
    let list = names.map { ": " + $0.prefix(12).joined(separator: ", ") } ?? ""
    return Diagnostic(
      place: "data", problem: "the data have \(count) classes\(list)",
      expected: "at most \(outputs), since the model has \(outputs) outputs",
      remedy: "make the model's last layer \(count) wide")
  case .numbers(let width, _, _):
    return Diagnostic(
      place: "data", problem: "samples have \(width) targets",
      expected: "\(outputs), since the model has \(outputs) outputs",
      remedy: "make the model's last layer \(width) wide")
  }
}

/// A part comes from a file or is cut, not both; named files exist in the source.
private func checkSettings(_ spec: DataSpec) throws {
  var faults = DiagnosticList()
  if case .divide(let divisor) = spec.normalization, divisor == 0 || !divisor.isFinite {
    faults.append(
      Diagnostic(
        place: "data.normalize", problem: "inputs cannot be divided by \(plain(divisor))",
        expected: "a finite number other than 0", remedy: "use 255 for bytes"))
  }
  let parts = [
    ("data.dev", spec.dev, spec.source.hasDevFiles),
    ("data.test", spec.test, spec.source.hasTestFiles),
  ]
  for (place, part, hasFiles) in parts {
    if part.isCut, hasFiles {
      faults.append(
        Diagnostic(
          place: place, problem: "the part has files and is cut from the training samples as well",
          expected: "one of both", remedy: "remove the files, or fraction and count"))
    } else if part == .files, !hasFiles {
      faults.append(
        Diagnostic(
          place: place, problem: "the part has no files", expected: "files, a fraction or a count",
          remedy: "name the part's files"))
    }
  }
  try faults.throwIfAny()
}

private func imageAugmentation(
  _ spec: AugmentSpec?, shape: DataShape, seed: UInt64
) throws -> ImageAugmentation? {
  guard let spec, spec != AugmentSpec() else { return nil }
  guard let extent = ImageExtent(shape: shape.input) else {
    throw Diagnostic(
      place: "data.augment", problem: "samples of shape \(shape.input) are no images",
      expected: "[height, width] or [height, width, channels]", remedy: "remove data.augment")
  }
  guard (0..<min(extent.height, extent.width)).contains(spec.shift) else {
    throw Diagnostic(
      place: "data.augment",
      problem: "a shift of \(spec.shift) pixels does not fit \(extent.height) x \(extent.width)",
      expected: "0 to \(min(extent.height, extent.width) - 1) pixels",
      remedy: "use \(min(2, min(extent.height, extent.width) - 1))")
  }
  return ImageAugmentation(spec: spec, extent: extent, seed: seed)
}

private func checkStatistics(_ given: NormalizationStatistics, shape: DataShape) throws {
  guard given.mean.count != shape.channelCount else { return }
  throw Diagnostic(
    place: "data",
    problem: "the checkpoint normalises \(given.mean.count) channels, the data have"
      + " \(shape.channelCount)",
    expected: "the data set that the checkpoint was trained on",
    remedy: "name that data set, or start over with --fresh")
}
