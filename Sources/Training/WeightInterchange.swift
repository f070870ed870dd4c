import Checkpoints
import Diagnostics
import Graph

/// Exchanges a model's weights with another program: the same numbers under other names.
package enum WeightInterchange {
  /// Another program's tensors under the names of the model.
  ///
  /// - Parameters:
  ///   - place: Of `names`, for messages.
  /// - Returns: The model's tensors, and the names in the file that no tensor of the model has; counts of
  ///   batches, which PyTorch's batch norms have, are not among them.
  package static func imported(
    _ file: SafetensorsFile, _ spec: RunSpec, _ names: WeightNames, place: String
  ) throws -> (tensors: [NamedTensor], unused: [String]) {
    let pairs = try pairs(spec, names, place: place)
    let found = Dictionary(uniqueKeysWithValues: file.shapes.map { ($0.name, $0.shape) })
    var faults = DiagnosticList()
    for (ours, theirs) in pairs where found[theirs] != ours.shape {
      faults.append(mismatch(ours, theirs, found[theirs], in: file))
    }
    try faults.throwIfAny()
    let used = Set(pairs.map(\.theirs))
    return (
      try pairs.map { try file.tensor($0.theirs).renamed(to: $0.ours.name) },
      file.names.filter { !used.contains($0) && !$0.hasSuffix(".num_batches_tracked") }
    )
  }

  /// The model's tensors under another program's names.
  ///
  /// - Parameter file: As `model.safetensors`.
  package static func exported(
    _ file: SafetensorsFile, _ spec: RunSpec, _ names: WeightNames, place: String
  ) throws -> [NamedTensor] {
    let pairs = try pairs(spec, names, place: place)
    try TensorShape.difference(
      expected: pairs.map(\.ours), found: file.shapes, place: file.path
    ).map { throw $0 }
    return try pairs.map { try file.tensor($0.ours.name).renamed(to: $0.theirs) }
  }

  private static func pairs(
    _ spec: RunSpec, _ names: WeightNames, place: String
  ) throws -> [(ours: TensorShape, theirs: String)] {
    let graph = try spec.forwardGraph(.evaluation)
    let tensors =
      graph.parameters.map { TensorShape(name: $0.name, shape: $0.layout.fileShape) }
      + graph.statistics.map { TensorShape(name: $0.name, shape: [$0.channels]) }
    var faults = DiagnosticList()
    var owners: [String: String] = [:]
    var pairs: [(ours: TensorShape, theirs: String)] = []
    for tensor in tensors {
      guard let theirs = names.name(of: tensor.name) else {
        faults.append(
          Diagnostic(
            place: place, problem: "no line names \(tensor.name) of shape \(tensor.shape)",
            expected: "a head, or a head and a tail, for every tensor of the model",
            remedy: "add a line for \(tensor.name), without its last word"))
        continue
      }
      if let owner = owners.updateValue(tensor.name, forKey: theirs) {
        faults.append(
          Diagnostic(
            place: place, problem: "\(owner) and \(tensor.name) both become \(theirs)",
            expected: "another name for each tensor", remedy: "correct one of the two lines"))
      }
      pairs.append((tensor, theirs))
    }
    try faults.throwIfAny()
    return pairs
  }

  private static func mismatch(
    _ ours: TensorShape, _ theirs: String, _ shape: [Int]?, in file: SafetensorsFile
  ) -> Diagnostic {
    guard let shape else {
      let nearest = nearestName(to: theirs, among: file.names)
      return Diagnostic(
        place: file.path, problem: "there is no tensor \(theirs) for \(ours.name)",
        expected: "a tensor of shape \(ours.shape)",
        remedy: nearest.map { "name \($0) in its place, if that is the one" }
          ?? "use weights of this network, or correct the names")
    }
    return Diagnostic(
      place: file.path, problem: "\(theirs) has shape \(shape)",
      expected: "\(ours.shape), as \(ours.name) has",
      remedy: "use weights of this network, or correct the names")
  }
}
