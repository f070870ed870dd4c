import Diagnostics

// A model's inputs with names of their own: pieces of a sample, one after the other.

extension GraphBuilder {
  /// Makes the model's inputs known by their names.
  ///
  /// - Returns: What the first layer reads.
  mutating func addInputs(_ spec: ModelSpec) -> Flow {
    let whole = Flow(value: graph.input, shape: spec.input)
    guard !spec.inputs.isEmpty else {
      remember(whole, as: ModelSpec.inputName)
      return whole
    }
    var offset = 0
    let parts = spec.inputs.map { input in
      let site = LayerSite(
        spec: LayerSpec(.activation(.identity), place: "model.input"), path: "input.\(input.name)",
        reluFollows: false)
      let kind = OperationKind.slice(
        offset: offset, count: input.elementCount, total: whole.elementCount, positions: 1)
      offset += input.elementCount
      let part = append(kind, [whole.value], input.shape, site)
      remember(part, as: input.name)
      return part
    }
    return parts[0]
  }

  /// - Throws: When inputs have names and nothing reads one of them.
  func checkInputs() throws {
    let read = Set(graph.operations.flatMap(\.inputs))
    let unread = inputs.map(\.name).filter { name in
      flows[name].map { !read.contains($0.value) } ?? true
    }
    guard !unread.isEmpty else { return }
    let words = unread.joined(separator: ", ")
    throw Diagnostic(
      place: "model.input", problem: "no layer reads \(words)",
      expected: "inputs that a layer reads; the first layer reads \(inputs[0].name)",
      remedy: "write from: \(unread[0]) in a layer, or remove the input")
  }
}

extension LayerSite {
  /// - Throws: When the layer is called like an input, which later layers could not tell from it.
  func checkName(among inputs: [NamedInput]) throws {
    guard let name = spec.name, inputs.contains(where: { $0.name == name }) else { return }
    throw fault(
      "has the name of the input \(name)", expected: "a name of its own",
      remedy: "rename the layer or the input")
  }
}
