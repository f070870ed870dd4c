import Diagnostics

/// Turns layer specs into forward operations, inferring every shape on the way.
///
/// Names of parameters are the path in the config: `layers.5.main.0.weight`; a layer's `name`
/// replaces its index.
package struct GraphBuilder {
  package private(set) var graph: ModelGraph
  private let mode: GraphMode
  let batchNormStatistics: BatchNormStatistics
  let convolutions: ConvolutionAlgorithm

  /// Embeddings by the name of their layer; nil: several have it.
  private var tables: [String: EmbeddingTable?] = [:]
  /// What the layers with names gave, the latest of each name, and the model's inputs.
  private(set) var flows: [String: Flow] = [:]
  /// The inputs that have names of their own.
  let inputs: [NamedInput]
  /// Steps that were cut off padded sequences.
  let cutSteps: Int
  /// Where the layers with names stand, the latest of each name.
  private(set) var sites: [String: LayerSite] = [:]
  /// Values of parameters by name, for layers that share them.
  private var parameters: [String: ValueID] = [:]
  /// How often layers have been applied again; 0 outside of such a layer.
  private var applications = (count: 0, current: 0)
  /// Whether parameters that are added now stay as they are.
  private(set) var isFrozen = false
  /// Blocks so far, and whether the layers in hand lie in the last of them.
  private var blocks = (count: 0, isInside: false)

  /// A value on its way through the layers, with the shape of one sample.
  struct Flow {
    var value: ValueID
    var shape: [Int]
    /// How many steps of each sample count; nil: all, or it is no sequence.
    var lengths: ValueID?

    var elementCount: Int { shape.reduce(1, *) }
  }

  /// The forward graph of `spec` with the loss on its output.
  ///
  /// - Parameters:
  ///   - target: The name of the layer that the output is compared with, or `input`; nil: the data's targets.
  ///   - auxiliary: Losses on layers inside of the model.
  /// - Throws: A `Diagnostic` that names the layer, the shape it got and the shape it needs.
  package static func forward(
    _ spec: ModelSpec, loss: LossSpec?, target: String? = nil, auxiliary: [AuxiliaryLoss] = [],
    mode: GraphMode, convolutions: ConvolutionAlgorithm = .auto
  ) throws -> ModelGraph {
    var builder = GraphBuilder(
      graph: ModelGraph(inputShape: spec.input), mode: mode,
      batchNormStatistics: spec.batchNormStatistics, convolutions: convolutions,
      inputs: spec.inputs, cutSteps: spec.cutSteps)
    let start = builder.addInputs(spec)
    let end = try builder.lower(spec.layers, from: start, path: "layers", reluFollows: false)
    builder.graph.output = end.value
    builder.graph.outputShape = end.shape
    if let loss {
      try builder.attach(loss, target: target, auxiliary, to: end, layers: spec.layers)
    }
    try builder.checkInputs()
    try builder.checkTrained(spec)
    return builder.graph
  }

  /// Lowers a chain of layers.
  ///
  /// - Parameter reluFollows: Whether a relu-like activation comes after the chain's end.
  mutating func lower(
    _ layers: [LayerSpec], from start: Flow, path: String, reluFollows: Bool
  ) throws -> Flow {
    var flow = start
    for (index, layer) in layers.enumerated() {
      let next = firstActivation(in: layers[(index + 1)...])
      flow = try lower(
        layer, from: flow, path: "\(path).\(layer.name ?? String(index))",
        reluFollows: next.map(\.isReluLike) ?? reluFollows)
    }
    return flow
  }

  private mutating func lower(
    _ layer: LayerSpec, from flow: Flow, path: String, reluFollows: Bool
  ) throws -> Flow {
    let site = LayerSite(spec: layer, path: path, reluFollows: reluFollows)
    let parametersBefore = graph.parameterCount
    let operationsBefore = graph.operations.count
    let wasFrozen = isFrozen
    if !layer.isTrained { isFrozen = true }
    defer { isFrozen = wasFrozen }
    let flow = try layer.source.map { try self.flow(named: $0, site) } ?? flow
    let result = try apply(site, to: flow)
    if let name = layer.name, name != ModelSpec.inputName {
      try site.checkName(among: inputs)
      (flows[name], sites[name]) = (result, site)
    }
    guard !layer.kind.isContainer else { return result }
    graph.layers.append(
      LayerSummary(
        path: path, kind: layer.kind.configName, outputShape: result.shape,
        parameterCount: graph.parameterCount - parametersBefore,
        forwardFLOPs: graph.operations[operationsBefore...].reduce(0) { $0 + $1.kind.flops }))
    return result
  }

  private mutating func apply(_ site: LayerSite, to flow: Flow) throws -> Flow {
    try site.checkPadding(flow)
    try checkCut(site, flow)
    var result = try marking(asBlock: site.spec.isBlock) { try $0.dispatch(site, flow) }
    if !site.spec.kind.isContainer {
      result.lengths = try lengths(after: site, from: flow, to: result)
    }
    return result
  }

  private mutating func dispatch(_ site: LayerSite, _ flow: Flow) throws -> Flow {
    switch site.spec.kind {
    case .dense(let spec): return try lowerDense(spec, site, flow)
    case .conv2d(let spec): return try lowerConvolution(spec, site, flow)
    case .maxPool(let spec): return try lowerPool(spec, isMax: true, site, flow)
    case .averagePool(let spec): return try lowerPool(spec, isMax: false, site, flow)
    case .globalAveragePool: return try lowerGlobalAveragePool(site, flow)
    case .batchNorm(let spec):
      return lowerBatchNorm(spec, isFrozen ? .evaluation : mode, site, flow)
    case .layerNorm(let spec): return lowerLayerNorm(spec, site, flow)
    case .dropout(let rate): return lowerDropout(rate, mode, site, flow)
    case .flatten(let order): return lowerFlatten(order, site, flow)
    case .reshape(let shape): return try lowerReshape(shape, site, flow)
    case .activation(let activation): return lowerActivation(activation, site, flow)
    case .conv1d(let spec): return try lowerConvolution1D(spec, site, flow)
    case .embedding(let spec): return try lowerEmbedding(spec, site, flow)
    case .tiedDense(let embedding): return try lowerTiedDense(embedding, site, flow)
    case .positions(let encoding): return try lowerPositions(encoding, site, flow)
    case .recurrent(let spec): return try lowerRecurrent(spec, site, flow, mode)
    case .attention(let spec): return try lowerAttention(spec, site, flow)
    case .rmsNorm(let spec): return lowerRMSNorm(spec, site, flow)
    case .classToken: return try lowerClassToken(site, flow)
    case .masking(let value): return try lowerMasking(value, site, flow)
    case .lastStep: return try lowerStep(isLast: true, site, flow)
    case .firstStep: return try lowerStep(isLast: false, site, flow)
    case .softmax:
      return append(.softmax(channels: flow.shape.last ?? 1), [flow.value], flow.shape, site)
    case .squeezeExcitation, .stochasticDepth, .spatialDropout, .groupNorm, .instanceNorm,
      .localResponseNorm, .convTranspose2d, .upsample, .adaptiveAveragePool, .prelu:
      return try lowerImages(mode, site, flow)
    case .sequence(let layers):
      return try lower(layers, from: flow, path: site.path, reluFollows: site.reluFollows)
    case .residual(let main, let shortcut):
      return try lowerResidual(main, shortcut, site, flow)
    case .parallel(let branches, let join): return try lowerParallel(branches, join, site, flow)
    case .join(let spec): return try lowerJoin(spec, site, flow)
    case .shared(let name): return try lowerShared(name, site, flow)
    case .stopGradient: return append(.stopGradient, [flow.value], flow.shape, site)
    case .select(let index): return try lowerSelect(index, site, flow)
    case .channels(let range): return try lowerChannels(range, site, flow)
    case .gaussianSample: return try lowerGaussianSample(mode, site, flow)
    case .repeat(let times, let layers):
      return try (0..<times).reduce(flow) { flow, index in
        let again = index + 1 < times ? firstActivation(in: layers[...])?.isReluLike : nil
        return try marking(asBlock: layers.areBlock) {
          try $0.lower(
            layers, from: flow, path: "\(site.path).\(index)",
            reluFollows: again ?? site.reluFollows)
        }
      }
    }
  }

  /// Notes of the operations that `body` adds that they are one block, unless they lie in another one.
  private mutating func marking(
    asBlock isBlock: Bool, _ body: (inout GraphBuilder) throws -> Flow
  ) rethrows -> Flow {
    guard isBlock, !blocks.isInside else { return try body(&self) }
    let first = graph.operations.count
    blocks.isInside = true
    let flow = try body(&self)
    blocks.isInside = false
    for index in first..<graph.operations.count { graph.operations[index].block = blocks.count }
    blocks.count += 1
    return flow
  }

  /// One operation with one output of the given shape.
  mutating func append(
    _ kind: OperationKind, _ inputs: [ValueID], _ shape: [Int], _ site: LayerSite
  ) -> Flow {
    let count = shape.reduce(1, *)
    return Flow(
      value: graph.add(kind, inputs, elementCount: count, layer: site.path), shape: shape)
  }

  mutating func addParameter(
    _ suffix: String, _ kind: ParameterKind, _ layout: ParameterLayout, _ initializer: Initializer,
    fans: (in: Int, out: Int) = (1, 1), _ site: LayerSite
  ) -> ValueID {
    let name = "\(site.path).\(suffix)"
    if applications.current > 0, let shared = parameters[name] { return shared }
    graph.parameters.append(
      Parameter(
        name: name, kind: kind, layout: layout, initializer: initializer,
        fanIn: fans.in, fanOut: fans.out, isTrained: !isFrozen))
    let value = graph.addValue(
      .parameter(graph.parameters.count - 1), elementCount: layout.elementCount)
    parameters[name] = value
    return value
  }

  /// Lets layers refer to an input.
  mutating func remember(_ input: Flow, as name: String) { flows[name] = input }

  /// What the nearest layer of that name before `site` gave.
  func flow(named name: String, _ site: LayerSite) throws -> Flow {
    guard let flow = flows[name] else {
      throw site.fault(
        "takes the output of \(name), which is no layer before it", expected: knownNames(),
        remedy: "give that layer a name of its own: {name: \(name), ...}")
    }
    return flow
  }

  /// What layers may be referred to by, in words.
  func knownNames() -> String {
    "one of \(flows.keys.sorted().joined(separator: ", "))"
  }

  /// Lowers a layer a second time, where its parameters are there already.
  mutating func lowerAgain(_ site: LayerSite, from flow: Flow) throws -> Flow {
    applications = (applications.count + 1, applications.count + 1)
    defer { applications.current = 0 }
    let (flows, sites, tables, listed) = (flows, sites, tables, graph.layers.count)
    defer {
      (self.flows, self.sites, self.tables) = (flows, sites, tables)
      graph.layers.removeSubrange(listed...)
    }
    return try apply(site, to: flow)
  }

  /// What random draws of a layer are called; another name for each time the layer is applied.
  func stream(of site: LayerSite) -> String {
    applications.current == 0 ? site.path : "\(site.path) again \(applications.current)"
  }

  /// - Throws: When the model has parameters, and all of them are frozen.
  private func checkTrained(_ spec: ModelSpec) throws {
    guard !graph.parameters.isEmpty, !graph.parameters.contains(where: \.isTrained) else { return }
    throw Diagnostic(
      place: spec.layers.first?.place ?? "model", problem: "all layers have trainable: false",
      expected: "a layer that is trained", remedy: "remove trainable: false from one of the layers")
  }

  mutating func addStatistic(_ statistic: Statistic) -> Int {
    graph.statistics.append(statistic)
    return graph.statistics.count - 1
  }

  mutating func addState(_ state: CarriedState) -> Int {
    graph.states.append(state)
    return graph.states.count - 1
  }

  mutating func addValue(_ role: ValueRole, elementCount: Int) -> ValueID {
    graph.addValue(role, elementCount: elementCount)
  }

  mutating func add(
    _ kind: OperationKind, _ inputs: [ValueID], to outputs: [ValueID], _ site: LayerSite
  ) {
    graph.add(kind, inputs, to: outputs, layer: site.path)
  }

  /// Lets later layers share an embedding's weights by its name.
  mutating func remember(_ table: EmbeddingTable, of site: LayerSite) {
    let name = site.spec.name ?? site.path
    tables[name] = tables[name] == nil ? .some(table) : .some(nil)
  }

  /// - Throws: When there is no such embedding before the layer, or several have its name.
  func table(named name: String, _ site: LayerSite) throws -> EmbeddingTable {
    guard let entry = tables[name], let table = entry else {
      let isThere = tables[name] != nil
      throw site.fault(
        isThere
          ? "shares the weights of \(name), which is the name of several embeddings"
          : "shares the weights of \(name), which is no embedding before it",
        expected: tables.isEmpty
          ? "the name of an embedding" : "one of \(tables.keys.sorted().joined(separator: ", "))",
        remedy: "give the embedding a name of its own, embedding: {name: tokens, ...}")
    }
    return table
  }

  mutating func setTarget(_ id: ValueID) {
    graph.target = id
  }
}

/// A layer where it stands.
struct LayerSite {
  var spec: LayerSpec
  var path: String
  /// Whether the next activation after it is relu-like, which decides the default initializer.
  var reluFollows: Bool

  /// A fault of this layer's shape.
  func fault(_ problem: String, expected: String, remedy: String) -> Diagnostic {
    Diagnostic(
      place: spec.place, problem: "\(path) (\(spec.kind.configName)) \(problem)",
      expected: expected, remedy: remedy)
  }
}

/// The first activation among `layers`, looking into nothing: a container ends the search.
private func firstActivation(in layers: ArraySlice<LayerSpec>) -> Activation? {
  for (index, layer) in zip(layers.indices, layers) {
    switch layer.kind {
    case .activation(let activation): return activation
    case .softmax: return .identity
    case .dense, .conv2d, .conv1d, .tiedDense, .recurrent, .attention: return .identity
    case .prelu: return .relu
    case .convTranspose2d: return .identity
    case .sequence(let inner):
      return firstActivation(in: ArraySlice(inner + layers[(index + 1)...]))
    case .residual, .parallel, .repeat, .join, .shared: return nil
    default: continue
    }
  }
  return nil
}

extension Activation {
  /// Zero (or nearly) for negative inputs, so that half of the variance is lost.
  var isReluLike: Bool {
    switch self {
    case .relu, .leakyRelu, .elu, .gelu, .geluTanh, .silu, .relu6, .hardSwish, .softplus: true
    case .identity, .sigmoid, .tanh, .hardSigmoid: false
    }
  }
}
