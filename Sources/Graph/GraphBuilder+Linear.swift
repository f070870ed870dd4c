// Dense and convolution layers.

extension GraphBuilder {
  mutating func lowerDense(_ spec: DenseSpec, _ site: LayerSite, _ flow: Flow) throws -> Flow {
    guard flow.shape.count <= 2, let inputs = flow.shape.last else {
      throw site.fault(
        "got an input of shape \(flow.shape)",
        expected: "a flat input [features], or a sequence [steps, features]",
        remedy: "put flatten or global_average_pool before it")
    }
    let positions = flow.elementCount / inputs
    let fans = (in: inputs, out: spec.units)
    var operands = [flow.value]
    operands.append(
      addParameter(
        "weight", .weight, .dense(inputs: inputs, units: spec.units),
        spec.weightInitializer ?? site.defaultInitializer, fans: fans, site))
    if spec.bias {
      operands.append(
        addParameter("bias", .bias, .vector(spec.units), spec.biasInitializer, fans: fans, site))
    }
    return append(
      .dense(inputs: inputs, units: spec.units, positions: positions), operands,
      flow.shape.dropLast() + [spec.units], site)
  }

  mutating func lowerConvolution(
    _ spec: Conv2DSpec, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let channels = try site.imageChannels(of: flow.shape)
    let groups = spec.groups.count(channels: channels)
    try site.checkGroups(groups, channels: channels, filters: spec.filters)
    let axes = try site.window(
      over: flow.shape, kernel: spec.kernel, stride: spec.stride, padding: spec.padding,
      dilation: spec.dilation)
    let geometry = ConvolutionGeometry(
      vertical: axes.vertical, horizontal: axes.horizontal, inputChannels: channels,
      outputChannels: spec.filters, groups: groups, algorithm: convolutions)
    let window = spec.kernel.height * spec.kernel.width
    let fans = (
      in: geometry.inputChannelsPerGroup * window, out: geometry.outputChannelsPerGroup * window
    )
    let layout = ParameterLayout.convolution(
      height: spec.kernel.height, width: spec.kernel.width,
      inputs: geometry.inputChannelsPerGroup, outputs: spec.filters)
    var operands = [flow.value]
    operands.append(
      addParameter(
        "weight", .weight, layout, spec.weightInitializer ?? site.defaultInitializer, fans: fans,
        site))
    if spec.bias {
      operands.append(
        addParameter("bias", .bias, .vector(spec.filters), spec.biasInitializer, fans: fans, site))
    }
    let shape = [axes.vertical.output, axes.horizontal.output, spec.filters]
    return append(.convolution(geometry), operands, shape, site)
  }
}

extension LayerSite {
  /// He normal where half of the outputs will be cut off, else Xavier uniform.
  var defaultInitializer: Initializer { reluFollows ? .heNormal : .xavierUniform }

  func checkGroups(_ groups: Int, channels: Int, filters: Int) throws {
    guard channels % groups == 0, filters % groups == 0 else {
      throw fault(
        "has \(groups) groups for \(channels) input channels and \(filters) filters",
        expected: "a number of groups that divides both",
        remedy: "choose groups and filters so that both divisions are whole")
    }
  }

  func imageChannels(of shape: [Int]) throws -> Int {
    guard shape.count == 3 else {
      throw fault(
        "got an input of shape \(shape)", expected: "an image [height, width, channels]",
        remedy: "move it before flatten, or put reshape: [height, width, channels] before it")
    }
    return shape[2]
  }

  func window(
    over shape: [Int], kernel: Extent, stride: Extent, padding: Padding, dilation: Extent
  ) throws -> (vertical: WindowAxis, horizontal: WindowAxis) {
    let vertical = axis(shape[0], kernel.height, stride.height, padding, \.height, dilation.height)
    let horizontal = axis(shape[1], kernel.width, stride.width, padding, \.width, dilation.width)
    guard vertical.fits, horizontal.fits else {
      throw fault(
        "has a window of \(vertical.reach) x \(horizontal.reach) over an input of shape \(shape)",
        expected: "a window no larger than the padded input",
        remedy: "use a smaller kernel, padding: same, or fewer pooling layers before it")
    }
    return (vertical, horizontal)
  }

  private func axis(
    _ input: Int, _ kernel: Int, _ stride: Int, _ padding: Padding,
    _ side: KeyPath<Extent, Int>, _ dilation: Int
  ) -> WindowAxis {
    var before = 0
    var after = 0
    switch padding {
    case .valid: break
    case .amount(let amount):
      before = amount[keyPath: side]
      after = before
    case .same:
      let output = (input + stride - 1) / stride
      let total = max(0, (output - 1) * stride + dilation * (kernel - 1) + 1 - input)
      before = total / 2
      after = total - before
    }
    return WindowAxis(
      input: input, kernel: kernel, stride: stride, padBefore: before, padAfter: after,
      dilation: dilation)
  }
}

extension WindowAxis {
  /// Inputs that the window spans.
  var reach: Int { dilation * (kernel - 1) + 1 }
  var fits: Bool { input + padBefore + padAfter >= reach }
}
