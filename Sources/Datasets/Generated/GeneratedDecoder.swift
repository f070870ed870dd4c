import Diagnostics

/// Writes a generated set as a training part.
func generate(
  _ spec: GeneratedSpec, data: DataSpec, seed: UInt64, key: String, into writer: PreparedFileWriter
) throws -> PreparedHeader {
  try check(spec, target: data.target)
  if spec.kind == .images {
    return try generateImages(spec, seed: seed, key: key, into: writer)
  }
  let samples = GeneratedSamples(spec: spec, seed: seed)
  let points = (0..<spec.samples).flatMap { index in
    let point = samples.point(of: index)
    return [Float(point.x), Float(point.y)]
  }
  let labels = (0..<spec.samples).map { samples.label(of: $0) }
  let inputOffset = try writer.startArray()
  try writer.append(points)
  let targetOffset = try writer.startArray()
  let target: TargetLayout
  if data.target == .classes {
    try writer.append(labels)
    target = .classes(count: samples.classCount, names: nil)
  } else {
    try writer.append(labels.map { Float($0) })
    target = .numbers(width: 1, names: nil, isMultiHot: data.target == .multiHot)
  }
  let layout = PartLayout(
    count: spec.samples, element: .float32, inputOffset: inputOffset, targetOffset: targetOffset)
  var shape = DataShape(input: [2], target: target)
  shape.inputNames = ["x", "y"]
  return PreparedHeader(key: key, shape: shape, train: layout, dev: nil, test: nil)
}

private func check(_ spec: GeneratedSpec, target: TargetKind) throws {
  var faults = DiagnosticList()
  if spec.samples < 1 {
    faults.append(
      Diagnostic(
        place: "data.samples", problem: "\(spec.samples) samples cannot be trained on",
        expected: "at least one sample", remedy: "use a few hundred"))
  }
  if spec.noise < 0 || !spec.noise.isFinite {
    faults.append(
      Diagnostic(
        place: "data.noise", problem: "noise \(spec.noise) is no standard deviation",
        expected: "a number from 0", remedy: "use 0.2, or 0 for none"))
  }
  let isMany = spec.kind == .spirals || spec.kind == .blobs || spec.kind == .images
  if isMany, spec.classes < 2 {
    faults.append(
      Diagnostic(
        place: "data.classes", problem: "\(spec.classes) classes cannot be told apart",
        expected: "at least 2", remedy: "use 2 or 3"))
  }
  if spec.kind == .images, target != .classes {
    faults.append(
      Diagnostic(
        place: "data.target_kind", problem: "generated images have classes, no other targets",
        expected: "classes", remedy: "use the loss softmax_cross_entropy"))
  } else if isMany, spec.classes > 2, target == .multiHot {
    faults.append(
      Diagnostic(
        place: "data.target_kind", problem: "\(spec.classes) classes are no answer of yes or no",
        expected: "classes, or two classes", remedy: "set data.target_kind to classes"))
  }
  try faults.throwIfAny()
}
