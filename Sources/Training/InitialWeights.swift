import Checkpoints
import Diagnostics
import Optimizers

/// Weights that a run starts from in place of random ones.
package struct InitialWeightsSpec: Equatable, Sendable {
  /// A safetensors file with the names of `model.safetensors`.
  package var file: String
  /// Whole words of the names of tensors that start at random all the same, with `*` for any run of characters.
  package var except: [String] = []

  package init(file: String) {
    self.file = file
  }

  func excludes(_ name: String) -> Bool {
    except.contains { ParameterGroupSpec(match: $0).matches(name) }
  }
}

extension Replica {
  /// Takes over the weights and running statistics of a file, as far as `spec` says.
  ///
  /// - Throws: A `Diagnostic` that names every tensor that is missing, of another shape, or of no use, and every exception
  ///   that matches nothing.
  package func start(from spec: InitialWeightsSpec) throws {
    let file = try SafetensorsFile(path: spec.file)
    var faults = DiagnosticList()
    let names = Set(file.names).union(model.fileShapes.map(\.name))
    for pattern in spec.except
    where !names.contains(where: ParameterGroupSpec(match: pattern).matches) {
      faults.append(
        Diagnostic(
          place: "initial_weights.except", problem: "\(pattern) matches no tensor",
          expected: "whole words of a name, such as \(names.min() ?? "layers.0.weight")",
          remedy: "correct it, or remove it"))
    }
    let wanted = model.fileShapes.filter { !spec.excludes($0.name) }
    let given = file.shapes.filter { !spec.excludes($0.name) }
    if var fault = TensorShape.difference(expected: wanted, found: given, place: file.path) {
      fault.remedy =
        "use weights of this network, or name what starts at random under initial_weights.except"
      faults.append(fault)
    }
    try faults.throwIfAny()
    let table = TensorTable(
      try wanted.map { try file.tensor($0.name) }, place: file.path)
    try model.load(table, skipping: spec.excludes)
    if state.isFilledHere { average?.start(from: model.parameters) }
  }
}
