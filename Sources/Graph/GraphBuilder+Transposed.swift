// Transposed convolutions: the operations of a convolution with forward and gradient exchanged.

extension GraphBuilder {
  mutating func lowerTransposedConvolution(
    _ spec: ConvTranspose2DSpec, _ site: LayerSite, _ flow: Flow
  ) throws -> Flow {
    let channels = try site.imageChannels(of: flow.shape)
    try site.checkGroups(spec.groups, channels: channels, filters: spec.filters)
    let geometry = ConvolutionGeometry(
      vertical: try site.transposedAxis(spec, \.height, input: flow.shape[0]),
      horizontal: try site.transposedAxis(spec, \.width, input: flow.shape[1]),
      inputChannels: spec.filters, outputChannels: channels, groups: spec.groups,
      algorithm: convolutions)
    let window = spec.kernel.height * spec.kernel.width
    let fans = (
      in: geometry.outputChannelsPerGroup * window, out: geometry.inputChannelsPerGroup * window
    )
    let layout = ParameterLayout.convolution(
      height: spec.kernel.height, width: spec.kernel.width,
      inputs: geometry.inputChannelsPerGroup, outputs: channels)
    let weight = addParameter(
      "weight", .weight, layout, spec.weightInitializer ?? site.defaultInitializer, fans: fans,
      site)
    let shape = [geometry.vertical.input, geometry.horizontal.input, spec.filters]
    let result = append(
      .convolutionInputGradient(geometry), [flow.value, weight], shape, site)
    guard spec.bias else { return result }
    let bias = addParameter(
      "bias", .bias, .vector(spec.filters), spec.biasInitializer, fans: fans, site)
    return append(.addBias(channels: spec.filters), [result.value, bias], shape, site)
  }
}

extension LayerSite {
  /// The axis of the convolution that leads from this layer's output to its input.
  fileprivate func transposedAxis(
    _ spec: ConvTranspose2DSpec, _ side: KeyPath<Extent, Int>, input: Int
  ) throws -> WindowAxis {
    let (kernel, stride) = (spec.kernel[keyPath: side], spec.stride[keyPath: side])
    let (dilation, added) = (spec.dilation[keyPath: side], spec.outputPadding[keyPath: side])
    let reach = dilation * (kernel - 1) + 1
    let whole = (input - 1) * stride + reach
    let (before, after, output): (Int, Int, Int)
    switch spec.padding {
    case .valid: (before, after, output) = (0, 0, whole + added)
    case .amount(let amount):
      let padding = amount[keyPath: side]
      (before, after, output) = (padding, padding, whole - 2 * padding + added)
    case .same:
      let total = max(0, reach - stride)
      (before, after, output) = (total / 2, total - total / 2, input * stride)
    }
    guard added < stride, added == 0 || spec.padding != .same else {
      throw fault(
        "has an output_padding of \(added) for stride \(stride) and padding \(spec.padding.word)",
        expected: "an output_padding below the stride, and none with padding: same",
        remedy: "leave output_padding out")
    }
    let axis = WindowAxis(
      input: max(output, 1), kernel: kernel, stride: stride, padBefore: before, padAfter: after,
      dilation: dilation)
    guard output >= 1, axis.fits, axis.output == input else {
      throw fault(
        "makes \(output) out of \(input), which no convolution with these settings leads back from",
        expected: "an output of at least 1, output_padding below the stride",
        remedy: "use less padding or output_padding")
    }
    return axis
  }
}

extension Padding {
  /// As the configuration has it.
  fileprivate var word: String {
    switch self {
    case .same: "same"
    case .valid: "valid"
    case .amount(let extent):
      extent.height == extent.width
        ? "\(extent.height)" : "[\(extent.height), \(extent.width)]"
    }
  }
}
