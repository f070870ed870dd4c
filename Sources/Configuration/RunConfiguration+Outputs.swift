import Diagnostics
import Graph

/// What only the built model can tell: how many outputs there are.
extension RunConfiguration {
  /// Checks class weights and class names against the model's outputs.
  ///
  /// - Parameter outputs: The number of numbers that the last layer gives per sample.
  /// - Throws: A `DiagnosticList`.
  package func checkCounts(outputs: Int) throws {
    var list = DiagnosticList()
    if let weights = spec.loss.classWeights, weights.count != outputs {
      list.append(
        mismatch(
          "loss.class_weights", "\(counted(weights.count, "weight"))", outputs: outputs,
          each: "one weight"))
    }
    if let names = spec.data.classNames, spec.comparesWithData, names.count != outputs,
      spec.data.target != .values
    {
      list.append(
        mismatch(
          "data.class_names", "\(counted(names.count, "name"))", outputs: outputs, each: "one name")
      )
    }
    try list.throwIfAny()
  }

  private func mismatch(
    _ path: String, _ count: String, outputs: Int, each: String
  ) -> Diagnostic {
    Diagnostic(
      place: place(of: path),
      problem: "\(path) has \(count) for a model with \(counted(outputs, "output"))",
      expected: "\(each) per output, \(outputs) in all",
      remedy: "make the list \(outputs) long, or change the last layer")
  }
}
