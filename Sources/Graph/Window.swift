// Shapes: N images in a shard; H, W rows and columns; C channels; channels-last, [N, H, W, C].

/// One spatial axis of a sliding window: which inputs a given output sees.
///
/// Output `o` sees inputs `o * stride - padBefore + t * dilation` for taps `t` in `0..<kernel`.
package struct WindowAxis: Equatable, Sendable {
  package var input: Int
  package var output: Int
  package var kernel: Int
  package var stride: Int
  package var padBefore: Int
  package var padAfter: Int
  package var dilation: Int

  package init(
    input: Int, kernel: Int, stride: Int = 1, padBefore: Int = 0, padAfter: Int = 0,
    dilation: Int = 1
  ) {
    self.input = input
    self.kernel = kernel
    self.stride = stride
    self.padBefore = padBefore
    self.padAfter = padAfter
    self.dilation = dilation
    output = (input + padBefore + padAfter - dilation * (kernel - 1) - 1) / stride + 1
  }
}

/// How convolutions are computed; each choice has bits of its own.
package enum ConvolutionAlgorithm: String, CaseIterable, Sendable {
  /// By tiles where a rule that looks at the geometry alone, the same on every machine, expects a clear gain.
  case auto
  /// Products over all taps.
  case direct
  /// By tiles wherever the geometry allows: 3 x 3, stride 1, no groups, no dilation.
  case winograd
}

/// The geometry of a two-dimensional convolution, `[N, H, W, Cin] -> [N, H', W', Cout]`.
///
/// Weights lie as `[kernel height, kernel width, Cin / groups, Cout]`; output channel `c` belongs to
/// group `c / (Cout / groups)` and sees only that group's input channels.
package struct ConvolutionGeometry: Equatable, Sendable {
  package var vertical: WindowAxis
  package var horizontal: WindowAxis
  package var inputChannels: Int
  package var outputChannels: Int
  package var groups: Int
  package var algorithm: ConvolutionAlgorithm

  package init(
    vertical: WindowAxis, horizontal: WindowAxis, inputChannels: Int, outputChannels: Int,
    groups: Int = 1, algorithm: ConvolutionAlgorithm = .auto
  ) {
    self.vertical = vertical
    self.horizontal = horizontal
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
    self.groups = groups
    self.algorithm = algorithm
  }

  package var inputChannelsPerGroup: Int { inputChannels / groups }
  package var outputChannelsPerGroup: Int { outputChannels / groups }
  package var weightCount: Int {
    vertical.kernel * horizontal.kernel * inputChannelsPerGroup * outputChannels
  }
  /// Elements of one image, before and after.
  package var inputCount: Int { vertical.input * horizontal.input * inputChannels }
  package var outputCount: Int { vertical.output * horizontal.output * outputChannels }
}

/// The geometry of pooling, each channel by itself: `[N, H, W, C] -> [N, H', W', C]`.
package struct PoolGeometry: Equatable, Sendable {
  package var vertical: WindowAxis
  package var horizontal: WindowAxis
  package var channels: Int
  /// Whether zeros of the padding count in an average's divisor (PyTorch's default: they do).
  package var countsPadding: Bool

  package init(
    vertical: WindowAxis, horizontal: WindowAxis, channels: Int, countsPadding: Bool = true
  ) {
    self.vertical = vertical
    self.horizontal = horizontal
    self.channels = channels
    self.countsPadding = countsPadding
  }

  package var inputCount: Int { vertical.input * horizontal.input * channels }
  package var outputCount: Int { vertical.output * horizontal.output * channels }
}
