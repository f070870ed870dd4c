import Diagnostics

extension DataShape {
  /// Checks that samples fit a model's input, `[28, 28, 1]` or `[784]` for grey images of 28 x 28.
  ///
  /// Axes of length 1 do not count; a model or data of one axis only need as many numbers.
  ///
  /// - Parameters:
  ///   - inputs: The names of the model's inputs, where it has several.
  ///   - place: Where the model's input is written, `mnist.yaml:12:10`.
  package func checkInput(ofModel model: [Int], inputs: [String] = [], place: String) throws {
    let (ours, theirs) = (input.filter { $0 != 1 }, model.filter { $0 != 1 })
    let isFlat = ours.count <= 1 || theirs.count <= 1
    guard isFlat ? elementCount != model.reduce(1, *) : ours != theirs else { return }
    guard inputs.isEmpty else {
      throw Diagnostic(
        place: place,
        problem:
          "the inputs \(inputs.joined(separator: ", ")) take \(model.reduce(1, *)) numbers together, "
          + "a sample of the data has \(elementCount)",
        expected: "shapes of \(elementCount) numbers together",
        remedy: "change the shapes under model.input")
    }
    let wanted = input.count == 2 && !isSequence ? input + [1] : input
    throw Diagnostic(
      place: place, problem: "the model takes inputs of shape \(model), the data have \(input)",
      expected: input.count == 1 ? "\(input)" : "\(wanted), or [\(elementCount)] without geometry",
      remedy: "set model.input to \(wanted)")
  }
}
