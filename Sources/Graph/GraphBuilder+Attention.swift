// Attention. Shapes: T queries and T' keys of E channels, [T', E'] of a memory.

extension GraphBuilder {
  mutating func lowerAttention(
    _ spec: AttentionSpec, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let (steps, channels) = try site.sequence(flow.shape)
    guard channels % spec.heads == 0 else {
      throw site.fault(
        "divides \(channels) channels among \(spec.heads) heads",
        expected: "a number of heads that divides the channels",
        remedy: "use \(nearestDivisor(of: channels, to: spec.heads)) heads")
    }
    var shape = AttentionShape(
      queries: steps, keys: steps, heads: spec.heads, headSize: channels / spec.heads,
      isCausal: spec.isCausal, isSelf: spec.memory == nil)
    shape.hasQueryLengths = flow.lengths != nil
    let operands: [Flow]
    if let name = spec.memory {
      let memory = try memory(named: name, spec, site)
      shape.keys = memory.shape[0]
      shape.hasKeyLengths = memory.lengths != nil
      operands = projected(flow, memory, spec, site)
    } else {
      operands = [try projected(flow, shape, spec, site)]
    }
    let lengths = operands.compactMap(\.lengths)
    let output = addValue(.activation, elementCount: flow.elementCount)
    let logarithms = addValue(.activation, elementCount: spec.heads * steps)
    add(.attention(shape), operands.map(\.value) + lengths, to: [output, logarithms], site)
    return addDense(
      to: Flow(value: output, shape: flow.shape), units: channels, prefix: "out_proj.",
      bias: spec.bias, spec.outputInitializer ?? spec.weightInitializer ?? .xavierUniform, site)
  }

  /// Queries, keys and values of a sequence side by side, `[T, 3 E]`, with its lengths.
  private mutating func projected(
    _ flow: Flow, _ shape: AttentionShape, _ spec: AttentionSpec, _ site: LayerSite
  ) throws -> Flow {
    var all = addDense(
      to: flow, units: 3 * shape.channels, prefix: "in_proj_", bias: spec.bias,
      spec.weightInitializer ?? .xavierUniform, site)
    if let base = spec.rotaryBase {
      guard shape.headSize % 2 == 0 else {
        throw site.fault(
          "turns heads of \(shape.headSize) channels",
          expected: "heads of an even number of channels",
          remedy: "change heads, or remove rotary_base")
      }
      let rotary = RotaryShape(
        steps: shape.queries, width: 3 * shape.channels, heads: 2 * shape.heads,
        headSize: shape.headSize, base: base)
      all = append(.rotate(rotary, direction: 1), [all.value], all.shape, site)
    }
    all.lengths = flow.lengths
    return all
  }

  /// Queries of a sequence, `[T, E]`, keys and values of a memory side by side, `[T', 2 E]`, with the lengths of both.
  private mutating func projected(
    _ flow: Flow, _ memory: Flow, _ spec: AttentionSpec, _ site: LayerSite
  ) -> [Flow] {
    let initializer = spec.weightInitializer ?? .xavierUniform
    let channels = flow.shape[1]
    var queries = addDense(
      to: flow, units: channels, prefix: "q_proj_", bias: spec.bias, initializer, site)
    var others = addDense(
      to: memory, units: 2 * channels, prefix: "kv_proj_", bias: spec.bias, initializer, site)
    (queries.lengths, others.lengths) = (flow.lengths, memory.lengths)
    return [queries, others]
  }

  /// The output of another layer that attention looks at.
  ///
  /// - Throws: When it is no sequence, or where the layer asks for what only one sequence with itself has.
  private func memory(
    named name: String, _ spec: AttentionSpec, _ site: LayerSite
  ) throws -> Flow {
    let memory = try flow(named: name, site)
    if cutSteps > 0, memory.value == graph.input, memory.lengths == nil { throw site.readsPadding }
    guard memory.shape.count == 2 else {
      throw site.fault(
        "has the memory \(name), whose shape is \(memory.shape)",
        expected: "a sequence [steps, channels]",
        remedy: "name a layer that gives an output for every step")
    }
    if spec.isCausal {
      throw site.fault(
        "is causal, but the steps of its memory \(name) are not those of its input",
        expected: "causal where a sequence looks at itself",
        remedy: "remove causal here, and put it in the self-attention before this layer")
    }
    if spec.rotaryBase != nil {
      throw site.fault(
        "turns queries and keys by their distance, but the steps of its memory \(name) are not those of its input",
        expected: "rotary_base where a sequence looks at itself",
        remedy: "remove rotary_base here, or put positions before the memory")
    }
    return memory
  }
}

/// The divisor of `number` that is nearest to `wish`.
private func nearestDivisor(of number: Int, to wish: Int) -> Int {
  (1...number).filter { number % $0 == 0 }.min { abs($0 - wish) < abs($1 - wish) } ?? 1
}
