import Diagnostics

/// What a model expects under a name.
package struct TensorShape: Equatable, Sendable {
  package let name: String
  /// Slowest dimension first.
  package let shape: [Int]

  package init(name: String, shape: [Int]) {
    self.name = name
    self.shape = shape
  }

  /// What keeps the tensors `found` in the file `place` from being those of a model that expects
  /// `expected`; nil when nothing does. Order does not matter.
  package static func difference(
    expected: [TensorShape], found: [TensorShape], place: String
  ) -> Diagnostic? {
    let there = Dictionary(uniqueKeysWithValues: found.map { ($0.name, $0.shape) })
    let wanted = Set(expected.map(\.name))
    let missing = expected.filter { there[$0.name] == nil }
    let unexpected = found.filter { !wanted.contains($0.name) }
    let reshaped = expected.compactMap { tensor in
      there[tensor.name].flatMap { shape in
        shape == tensor.shape
          ? nil : "\(tensor.name) is \(shape) in the file, \(tensor.shape) in the model"
      }
    }
    let parts = [
      part("missing", missing.map { "\($0.name) \($0.shape)" }),
      part("not in the model", unexpected.map { "\($0.name) \($0.shape)" }),
      part("of another shape", reshaped),
    ].compactMap(\.self)
    guard !parts.isEmpty else { return nil }
    return Diagnostic(
      place: place,
      problem: "the tensors are not those of this model; " + parts.joined(separator: "; "),
      expected: "the \(expected.count) tensors of the configured model",
      remedy:
        "restore the model's configuration, choose another output.folder, or start over with --fresh"
    )
  }

  private static func part(_ title: String, _ items: [String]) -> String? {
    items.isEmpty ? nil : "\(title): \(abbreviated(items))"
  }
}
