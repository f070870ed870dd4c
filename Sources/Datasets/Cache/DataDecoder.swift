import Diagnostics

/// Reads the sources of `spec` and appends all parts to `writer`.
///
/// - Throws: a `Diagnostic` or `DiagnosticList` of the faults in the data, a `SystemFailure` when the
///   writer's file cannot be written.
func decode(
  _ spec: DataSpec, seed: UInt64, outputs: Int?, answers: Int, key: String,
  into writer: PreparedFileWriter
) throws -> PreparedHeader {
  let request = TargetRequest(
    kind: spec.target, outputs: outputs, answers: answers, ignored: spec.ignoredClass,
    firstClass: spec.firstClass)
  switch spec.source {
  case .idx(let train, let dev, let test):
    return try decodeArrayParts(
      [train, dev, test], format: .idx, spec: spec, request: request, key: key, into: writer)
  case .npy(let train, let dev, let test):
    return try decodeArrayParts(
      [train, dev, test], format: .npy, spec: spec, request: request, key: key, into: writer)
  case .csv(let csv):
    return try CSVDecoder(spec: csv, data: spec, seed: seed, outputs: outputs)
      .decode(key: key, into: writer)
  case .text(let text):
    return try TextDecoder(spec: text, data: spec).decode(key: key, into: writer)
  case .series(let series):
    return try SeriesDecoder(spec: series, data: spec).decode(key: key, into: writer)
  case .tokens: preconditionFailure("tokens are not prepared")
  case .generatedSequences(let generated):
    return try generateSequences(generated, data: spec, seed: seed, key: key, into: writer)
  case .generated(let generated):
    return try generate(generated, data: spec, seed: seed, key: key, into: writer)
  }
}

private func decodeArrayParts(
  _ files: [ArrayFiles?], format: ArrayFormat, spec: DataSpec, request: TargetRequest,
  key: String, into writer: PreparedFileWriter
) throws -> PreparedHeader {
  var faults = DiagnosticList()
  let parts = try files.map { files -> DecodedPart? in
    guard let files else { return nil }
    return try decodeArrays(
      files, format: format, request: request, into: writer, faults: &faults)
  }
  try faults.throwIfAny()
  guard let train = parts[0] else { preconditionFailure("no training part and no fault") }
  for (part, files) in zip(parts.dropFirst(), files.dropFirst()) {
    guard let part, let files, let trainFiles = spec.source.paths.first else { continue }
    checkSameShape(part, train, files: files, trainPath: trainFiles, &faults)
  }
  try faults.throwIfAny()
  let shape = DataShape(
    input: train.inputShape,
    target: commonTarget(parts.compactMap { $0?.target }))
  return PreparedHeader(
    key: key, shape: shape, train: train.layout, dev: parts[1]?.layout, test: parts[2]?.layout)
}

private func checkSameShape(
  _ part: DecodedPart, _ train: DecodedPart, files: ArrayFiles, trainPath: String,
  _ faults: inout DiagnosticList
) {
  if part.inputShape != train.inputShape {
    faults.append(
      Diagnostic(
        place: files.inputs, problem: "samples have the shape \(part.inputShape)",
        expected: "\(train.inputShape), as in \(trainPath)",
        remedy: "name files of one data set"))
  }
  guard case .numbers(let width, _, _) = part.target, width != train.target.width else { return }
  faults.append(
    Diagnostic(
      place: files.targets, problem: "samples have \(width) targets",
      expected: "\(train.target.width), as in training", remedy: "name files of one data set"))
}

/// The training part's layout, with as many classes as any part needs.
private func commonTarget(_ targets: [TargetLayout]) -> TargetLayout {
  let count = targets.map(\.outputs).max() ?? 0
  switch targets[0] {
  case .classes: return .classes(count: count, names: nil)
  case .classSequence(_, let steps, _):
    return .classSequence(count: count, steps: steps, names: nil)
  case .numbers: return targets[0]
  }
}
