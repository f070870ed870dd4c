// Layers of sequences. Shapes: T steps, C channels, H units.

extension GraphBuilder {
  mutating func lowerEmbedding(
    _ spec: EmbeddingSpec, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    guard flow.shape.count == 1 else {
      throw site.fault(
        "got an input of shape \(flow.shape)", expected: "tokens, [steps]",
        remedy: "make it the first layer, with model.input: [steps]")
    }
    let table = addParameter(
      "weight", .weight, .table(rows: spec.vocabulary, columns: spec.units),
      spec.weightInitializer, fans: (spec.vocabulary, spec.units), site)
    remember(
      EmbeddingTable(value: table, words: spec.vocabulary, channels: spec.units), of: site)
    return append(
      .embedding(words: spec.vocabulary, channels: spec.units), [flow.value, table],
      [flow.shape[0], spec.units], site)
  }

  mutating func lowerTiedDense(
    _ embedding: String, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let table = try table(named: embedding, site)
    guard let inputs = flow.shape.last, inputs == table.channels, flow.shape.count <= 2 else {
      throw site.fault(
        "got an input of shape \(flow.shape)",
        expected: "\(table.channels) channels, as the embedding \(embedding) has",
        remedy: "put a dense layer of \(table.channels) units before it")
    }
    let positions = flow.elementCount / inputs
    return append(
      .tiedDense(inputs: inputs, units: table.words, positions: positions),
      [flow.value, table.value], flow.shape.dropLast() + [table.words], site)
  }

  mutating func lowerPositions(
    _ encoding: PositionEncoding, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let (steps, channels) = try site.sequence(flow.shape)
    switch encoding {
    case .sinusoidal:
      return append(
        .addSinusoidalPositions(steps: steps, channels: channels), [flow.value], flow.shape, site)
    case .learned(let initializer):
      let table = addParameter(
        "weight", .weight, .table(rows: positionRows(flow), columns: channels), initializer,
        fans: (positionRows(flow), channels), site)
      return append(
        .addPositions(steps: steps, channels: channels), [flow.value, table], flow.shape, site)
    }
  }

  mutating func lowerClassToken(_ site: LayerSite, _ flow: Flow) throws -> Flow {
    let (steps, channels) = try site.sequence(flow.shape)
    let token = addParameter(
      "weight", .weight, .vector(channels), .normal(mean: 0, deviation: 0.02), site)
    var longer = append(
      .prepend(steps: steps, channels: channels), [flow.value, token], [steps + 1, channels], site)
    longer.lengths = flow.lengths.map {
      append(.extendLengths(by: 1), [$0], [1], site).value
    }
    return longer
  }

  /// - Parameter isLast: Else the first.
  mutating func lowerStep(isLast: Bool, _ site: LayerSite, _ flow: Flow) throws -> Flow {
    let (steps, channels) = try site.sequence(flow.shape)
    if isLast, let lengths = flow.lengths {
      return append(
        .lastStep(steps: steps, channels: channels), [flow.value, lengths], [channels], site)
    }
    return append(
      .step(isLast ? steps - 1 : 0, steps: steps, channels: channels), [flow.value], [channels],
      site)
  }

  mutating func lowerRMSNorm(_ spec: RMSNormSpec, _ site: LayerSite, _ flow: Flow) -> Flow {
    let channels = flow.shape.last ?? 1
    let shape = NormShape(
      positions: flow.elementCount / max(channels, 1), channels: channels, epsilon: spec.epsilon)
    let gamma = addParameter("weight", .normScale, .vector(channels), .constant(1), site)
    let output = addValue(.activation, elementCount: flow.elementCount)
    let inverse = addValue(.activation, elementCount: shape.positions)
    add(.rmsNorm(shape), [flow.value, gamma], to: [output, inverse], site)
    return Flow(value: output, shape: flow.shape)
  }

  mutating func lowerConvolution1D(
    _ spec: Conv1DSpec, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let (steps, channels) = try site.sequence(flow.shape)
    let groups = spec.groups.count(channels: channels)
    try site.checkGroups(groups, channels: channels, filters: spec.filters)
    let axis = spec.axis(steps: steps)
    guard axis.fits else {
      throw site.fault(
        "has a window of \(axis.reach) over an input of shape \(flow.shape)",
        expected: "a window no larger than the padded input",
        remedy: "use a smaller kernel or padding: same")
    }
    let geometry = ConvolutionGeometry(
      vertical: WindowAxis(input: 1, kernel: 1), horizontal: axis, inputChannels: channels,
      outputChannels: spec.filters, groups: groups, algorithm: convolutions)
    let fans = (
      in: geometry.inputChannelsPerGroup * spec.kernel,
      out: geometry.outputChannelsPerGroup * spec.kernel
    )
    let layout = ParameterLayout.convolution1d(
      width: spec.kernel, inputs: geometry.inputChannelsPerGroup, outputs: spec.filters)
    var operands = [flow.value]
    if let lengths = flow.lengths {
      // A sequence sees zeros behind its end, as if it stood alone.
      operands = [
        append(
          .keepSteps(steps: steps, channels: channels), [flow.value, lengths], flow.shape, site
        ).value
      ]
    }
    operands.append(
      addParameter(
        "weight", .weight, layout, spec.weightInitializer ?? site.defaultInitializer, fans: fans,
        site))
    if spec.bias {
      operands.append(
        addParameter("bias", .bias, .vector(spec.filters), spec.biasInitializer, fans: fans, site))
    }
    return append(.convolution(geometry), operands, [axis.output, spec.filters], site)
  }

  mutating func lowerRecurrent(
    _ spec: RecurrentSpec, _ site: LayerSite, _ flow: Flow, _ mode: GraphMode
  ) throws -> Flow {
    _ = try site.sequence(flow.shape)
    let lengths = flow.lengths
    if spec.carriesState, lengths != nil { throw site.cannotCarryPadded }
    var flow = flow
    for layer in 0..<spec.layers {
      if layer > 0, spec.dropout > 0, mode == .training {
        flow = append(
          .dropout(rate: spec.dropout, stream: "\(stream(of: site)).\(layer)"), [flow.value],
          flow.shape,
          site)
      }
      let wantsLast = layer + 1 == spec.layers && spec.outputs == .last
      let ways = spec.isBidirectional ? [false, true] : [false]
      let walks = ways.map { isReversed -> Flow in
        let walk = addWalk(spec, layer: layer, isReversed: isReversed, lengths, site, flow)
        guard wantsLast else { return walk }
        let steps = walk.shape[0]
        if !isReversed, let lengths {
          return append(
            .lastStep(steps: steps, channels: spec.units), [walk.value, lengths], [spec.units],
            site)
        }
        return append(
          .step(isReversed ? 0 : steps - 1, steps: steps, channels: spec.units), [walk.value],
          [spec.units], site)
      }
      flow = walks[0]
      guard walks.count > 1 else { continue }
      let positions = flow.shape.count > 1 ? flow.shape[0] : 1
      flow = append(
        .concatenate(channels: walks.map { _ in spec.units }, positions: positions),
        walks.map(\.value), flow.shape.dropLast() + [walks.count * spec.units], site)
    }
    return flow
  }

  /// One direction of one layer, with parameters named as PyTorch names them.
  private mutating func addWalk(
    _ spec: RecurrentSpec, layer: Int, isReversed: Bool, _ lengths: ValueID?, _ site: LayerSite,
    _ flow: Flow
  ) -> Flow {
    var shape = RecurrentShape(
      cell: spec.cell, steps: flow.shape[0], units: spec.units, isReversed: isReversed)
    shape.isPadded = lengths != nil
    let suffix = "_l\(layer)\(isReversed ? "_reverse" : "")"
    let inputs = flow.shape[1]
    var operands = [flow.value]
    operands.append(
      addParameter(
        "weight_ih\(suffix)", .weight, .dense(inputs: inputs, units: shape.width),
        spec.weightInitializer ?? .xavierUniform, fans: (inputs, spec.units), site))
    if spec.bias {
      operands.append(
        addParameter(
          "bias_ih\(suffix)", .bias, .vector(shape.width), spec.inputBiasInitializer,
          fans: (inputs, spec.units), site))
    }
    let products = append(
      .dense(inputs: inputs, units: shape.width, positions: shape.steps), operands,
      [shape.steps, shape.width], site)
    var stepOperands = [products.value]
    stepOperands.append(
      addParameter(
        "weight_hh\(suffix)", .weight, .dense(inputs: spec.units, units: shape.width),
        spec.recurrentInitializer ?? .xavierUniform, fans: (spec.units, spec.units), site))
    if spec.bias {
      stepOperands.append(
        addParameter("bias_hh\(suffix)", .bias, .vector(shape.width), .zeros, site))
    }
    if spec.carriesState {
      shape.isContinued = true
      stepOperands += recallStates(of: shape, suffix, site)
    }
    if let lengths { stepOperands.append(lengths) }
    let output = addValue(.activation, elementCount: shape.steps * spec.units)
    let remembered = shape.cell.remembered * spec.units * shape.steps
    let memory = remembered > 0 ? [addValue(.activation, elementCount: remembered)] : []
    add(.recurrence(shape), stepOperands, to: [output] + memory, site)
    if spec.carriesState { keepStates(of: shape, from: [output] + memory, site) }
    return Flow(value: output, shape: [shape.steps, spec.units])
  }

  /// A dense layer at every step.
  mutating func addDense(
    to flow: Flow, units: Int, prefix: String, bias: Bool, _ initializer: Initializer,
    _ site: LayerSite
  ) -> Flow {
    let inputs = flow.shape.last ?? 1
    let positions = flow.elementCount / inputs
    var operands = [flow.value]
    operands.append(
      addParameter(
        "\(prefix)weight", .weight, .dense(inputs: inputs, units: units), initializer,
        fans: (inputs, units), site))
    if bias {
      operands.append(addParameter("\(prefix)bias", .bias, .vector(units), .zeros, site))
    }
    return append(
      .dense(inputs: inputs, units: units, positions: positions), operands,
      flow.shape.dropLast() + [units], site)
  }
}

/// The weights of an embedding that a later layer may share.
struct EmbeddingTable {
  var value: ValueID
  var words: Int
  var channels: Int
}

extension LayerSite {
  /// Steps and channels of a sequence.
  func sequence(_ shape: [Int]) throws -> (steps: Int, channels: Int) {
    guard shape.count == 2 else {
      throw fault(
        "got an input of shape \(shape)", expected: "a sequence [steps, channels]",
        remedy: "put embedding or reshape: [steps, channels] before it")
    }
    return (shape[0], shape[1])
  }
}

extension RecurrentSpec {
  /// PyTorch adds two biases; the forget gate's first value stands in this one.
  fileprivate var inputBiasInitializer: Initializer {
    cell == .lstm && forgetBias != 0 ? .stretches([0, forgetBias, 0, 0]) : .zeros
  }
}

extension Conv1DSpec {
  fileprivate func axis(steps: Int) -> WindowAxis {
    let reach = dilation * (kernel - 1)
    let (before, after): (Int, Int) =
      switch padding {
      case .valid: (0, 0)
      case .causal: (reach, 0)
      case .amount(let amount): (amount, amount)
      case .same: same(steps: steps, reach: reach)
      }
    return WindowAxis(
      input: steps, kernel: kernel, stride: stride, padBefore: before, padAfter: after,
      dilation: dilation)
  }

  private func same(steps: Int, reach: Int) -> (Int, Int) {
    let output = (steps + stride - 1) / stride
    let total = max(0, (output - 1) * stride + reach + 1 - steps)
    return (total / 2, total - total / 2)
  }
}
