import Diagnostics

/// What is known of one part (one pair of files) once its arrays are written.
struct DecodedPart {
  var layout: PartLayout
  /// One sample.
  var inputShape: [Int]
  var target: TargetLayout
}

/// How targets are to be read and what the model can express.
struct TargetRequest: Equatable {
  var kind: TargetKind
  /// The model's last width; nil when no model is at hand.
  var outputs: Int?
  /// Class numbers of a sample: for how many steps it gives so many, or places of a list of labels.
  var answers = 1
  /// The class number that stands for none.
  var ignored: Int?
  var firstClass = 0
}

/// Reads a pair of array files and appends inputs and targets to `writer`.
///
/// - Returns: nil when there were faults.
func decodeArrays(
  _ files: ArrayFiles, format: ArrayFormat, request: TargetRequest,
  into writer: PreparedFileWriter, faults: inout DiagnosticList
) throws -> DecodedPart? {
  let before = faults.items.count
  let target = try decodeTargets(files, format: format, request: request, writer, &faults)
  let input =
    files.otherInputs.isEmpty
    ? try decodeInputs(files.inputs, format: format, writer, &faults)
    : try decodeInputs([files.inputs] + files.otherInputs, format: format, writer, &faults)
  if let target, let input { checkCounts(input.count, target.count, files: files, &faults) }
  guard faults.items.count == before, let target, let input else { return nil }
  let layout = PartLayout(
    count: input.count, element: input.element, inputOffset: input.offset,
    targetOffset: target.offset)
  return DecodedPart(
    layout: layout, inputShape: input.sampleShape.isEmpty ? [1] : input.sampleShape,
    target: target.layout)
}

private struct WrittenInputs {
  var count: Int
  var sampleShape: [Int]
  var element: ElementKind
  var offset: Int
}

private struct WrittenTargets {
  var count: Int
  var layout: TargetLayout
  var offset: Int
}

private func checkCounts(
  _ inputs: Int, _ targets: Int, files: ArrayFiles, _ faults: inout DiagnosticList
) {
  if inputs != targets {
    faults.append(
      Diagnostic(
        place: files.targets, problem: "\(targets) labels for \(inputs) inputs",
        expected: "as many labels as \(files.inputs) has samples: \(inputs)",
        remedy: "name files that belong together"))
  } else if inputs == 0 {
    faults.append(noSamples(files.inputs))
  }
}

func noSamples(_ path: String) -> Diagnostic {
  Diagnostic(
    place: path, problem: "the file has no samples", expected: "at least one sample",
    remedy: "name a file with data")
}

private func decodeInputs(
  _ path: String, format: ArrayFormat, _ writer: PreparedFileWriter, _ faults: inout DiagnosticList
) throws -> WrittenInputs? {
  let inputs = try faults.collect { () throws -> WrittenInputs in
    var file = try ArrayFile(path: path, format: format)
    let offset = try writer.startArray()
    try copyElements(of: &file, into: writer)
    return WrittenInputs(
      count: file.sampleCount, sampleShape: file.sampleShape,
      element: file.number.isByte ? .uint8 : .float32, offset: offset)
  }
  return inputs
}

/// Samples of several files side by side, as Float; all of them are in memory at a time.
private func decodeInputs(
  _ paths: [String], format: ArrayFormat, _ writer: PreparedFileWriter,
  _ faults: inout DiagnosticList
) throws -> WrittenInputs? {
  let before = faults.items.count
  let columns = try paths.compactMap { path in
    try faults.collect { () throws -> (path: String, count: Int, width: Int, numbers: [Float]) in
      var file = try ArrayFile(path: path, format: format)
      var numbers: [Float] = []
      numbers.reserveCapacity(file.elementCount)
      try readFloats(of: &file) { numbers += $0 }
      return (path, file.sampleCount, file.sampleShape.reduce(1, *), numbers)
    }
  }
  guard let first = columns.first else { return nil }
  for column in columns where column.count != first.count {
    faults.append(
      Diagnostic(
        place: column.path, problem: "\(column.count) samples beside \(first.count)",
        expected: "as many as \(first.path) has: \(first.count)",
        remedy: "name files that belong together"))
  }
  guard faults.items.count == before else { return nil }
  let offset = try writer.startArray()
  for sample in 0..<first.count {
    for column in columns {
      try writer.append(
        Array(column.numbers[sample * column.width..<(sample + 1) * column.width]))
    }
  }
  return WrittenInputs(
    count: first.count, sampleShape: [columns.reduce(0) { $0 + $1.width }], element: .float32,
    offset: offset)
}

/// Bytes stay bytes; everything else becomes Float.
private func copyElements(of file: inout ArrayFile, into writer: PreparedFileWriter) throws {
  guard file.number.isByte else { return try readFloats(of: &file) { try writer.append($0) } }
  try file.readElements { bytes, _ in try writer.append(bytes) }
}

private func readFloats(of file: inout ArrayFile, _ body: ([Float]) throws -> Void) throws {
  let number = file.number
  let sampleElements = max(file.sampleShape.reduce(1, *), 1)
  var firstBad: (index: Int, value: Double)?
  try file.readElements { bytes, first in
    var floats: [Float] = []
    floats.reserveCapacity(bytes.count / number.byteCount)
    for (index, offset) in stride(from: 0, to: bytes.count, by: number.byteCount).enumerated() {
      let value = number.number(in: bytes, at: offset)
      if !Float(value).isFinite, firstBad == nil { firstBad = (first + index, value) }
      floats.append(Float(value))
    }
    try body(floats)
  }
  guard let bad = firstBad else { return }
  throw Diagnostic(
    place: file.place(ofElement: bad.index),
    problem: "element \(bad.index % sampleElements) of sample \(bad.index / sampleElements)"
      + " is \(bad.value)",
    expected: "finite numbers within the range of 32-bit floats",
    remedy: "remove or replace such values")
}

private func decodeTargets(
  _ files: ArrayFiles, format: ArrayFormat, request: TargetRequest, _ writer: PreparedFileWriter,
  _ faults: inout DiagnosticList
) throws -> WrittenTargets? {
  let targets = try faults.collect { () throws -> WrittenTargets in
    var file = try ArrayFile(path: files.targets, format: format)
    let width = file.sampleShape.reduce(1, *)
    try checkTargetShape(file, width: width, request: request)
    let values = try targetValues(of: &file, request: request)
    let offset = try writer.startArray()
    let layout: TargetLayout
    switch request.kind {
    case .classes:
      try writer.append(values.map { Int32($0) })
      let count = Int(values.max() ?? -1) + 1
      layout =
        request.answers == 1
        ? .classes(count: count, names: nil)
        : .classSequence(count: count, steps: request.answers, names: nil)
    case .multiHot, .values:
      try writer.append(values.map { Float($0) })
      layout = .numbers(width: width, names: nil, isMultiHot: request.kind == .multiHot)
    }
    return WrittenTargets(count: file.sampleCount, layout: layout, offset: offset)
  }
  return targets
}

private func checkTargetShape(
  _ file: borrowing ArrayFile, width: Int, request: TargetRequest
) throws {
  let wanted = request.kind == .classes ? request.answers : request.outputs ?? width
  guard width != wanted else { return }
  let dimensions = file.shape.map(String.init).joined(separator: ", ")
  throw Diagnostic(
    place: file.path, problem: "targets of shape [\(dimensions)] have \(width) numbers per sample",
    expected: request.kind == .classes
      ? wanted == 1
        ? "one class number per sample"
        : "\(wanted) class numbers per sample, \(request.areLabels ? "as loss.labels says" : "one for each step")"
      : "\(wanted) per sample, as the model has outputs",
    remedy: request.kind == .classes
      ? request.areLabels
        ? "set loss.labels to \(width)"
        : "set data.target_kind to multi_hot or values, or store class numbers"
      : "make the model's last layer \(width) wide")
}

/// All targets, each checked to be what the request says.
private func targetValues(of file: inout ArrayFile, request: TargetRequest) throws -> [Double] {
  let number = file.number
  var values: [Double] = []
  values.reserveCapacity(file.elementCount)
  try file.readElements { bytes, _ in
    for offset in stride(from: 0, to: bytes.count, by: number.byteCount) {
      values.append(number.number(in: bytes, at: offset))
    }
  }
  let bad = values.indices.filter { !request.allows(values[$0]) }
  guard let first = bad.first else { return values }
  let width = max(file.sampleShape.reduce(1, *), 1)
  let more = bad.count == 1 ? "" : " (and \(bad.count - 1) more)"
  throw Diagnostic(
    place: file.place(ofElement: first),
    problem: "label \(plain(values[first])) of sample \(first / width) is out of range\(more)",
    expected: request.expectation, remedy: request.remedy)
}

extension TargetRequest {
  /// Whether targets are lists of labels instead of classes of steps.
  var areLabels: Bool { firstClass > 0 }

  func allows(_ value: Double) -> Bool {
    switch kind {
    case .classes:
      if let ignored, value == Double(ignored) { return true }
      let limit = Double(outputs ?? Int(Int32.max))
      return value >= Double(firstClass) && value < limit && value == value.rounded()
    case .multiHot: return value == 0 || value == 1
    case .values: return Float(value).isFinite
    }
  }

  var expectation: String {
    switch (kind, outputs) {
    case (.classes, .some(let outputs)):
      "a class number from \(firstClass) to \(outputs - 1)\(orIgnored), since the model has \(outputs) outputs"
    case (.classes, nil): "a class number from \(firstClass)\(orIgnored)"
    case (.multiHot, _): "0 or 1"
    case (.values, _): "finite numbers within the range of 32-bit floats"
    }
  }

  private var orIgnored: String { ignored.map { ", or \($0) for none" } ?? "" }

  var remedy: String {
    switch kind {
    case .classes: "make the model's last layer as wide as there are classes, or repair the file"
    case .multiHot: "set data.target_kind to classes or values, or repair the file"
    case .values: "remove or replace such values"
    }
  }
}

/// `3` instead of `3.0`.
func plain(_ value: Double) -> String {
  Int(exactly: value).map { "\($0)" } ?? "\(value)"
}
