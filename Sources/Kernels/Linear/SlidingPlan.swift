import Graph

/// A rectangle of targets that all see the same taps.
struct TapRectangle: Equatable, Sendable {
  var vertical: TapRun
  var horizontal: TapRun

  /// Multiply-adds per image, channel pair and target.
  var tapCount: Int { vertical.taps.count * horizontal.taps.count }
}

/// Targets that share one set of packed weights.
struct WindowClass: Equatable, Sendable {
  let vertical: TapClass
  let horizontal: TapClass
  let rectangles: [TapRectangle]

  init(vertical: TapClass, horizontal: TapClass) {
    self.vertical = vertical
    self.horizontal = horizontal
    let rows = vertical.runs
    let columns = horizontal.runs
    rectangles = rows.flatMap { row in
      columns.map { TapRectangle(vertical: row, horizontal: $0) }
    }
  }

  var tapCount: Int { vertical.tapCount * horizontal.tapCount }
}

/// A grid of numbers that a window slides over or writes to: `[height, width, channels]`.
struct ImageShape: Equatable, Sendable {
  var height: Int
  var width: Int
  var channels: Int

  var rowStride: Int { width * channels }
  var imageStride: Int { height * width * channels }
}

/// A convolution forward or its gradient by data: both slide a window of weights over a source.
struct SlidingPlan: Equatable, Sendable {
  let source: ImageShape
  let target: ImageShape
  let groups: Int
  let classes: [WindowClass]
  /// The distances of weights along the source's and the target's channels.
  let weightDepthStride: Int
  let weightColumnStride: Int
  /// The distance of weights between groups and between taps.
  let weightGroupStride: Int
  let weightTapStride: Int
  let kernelHeight: Int
  let kernelWidth: Int

  /// `[N, H, W, Cin]` to `[N, H', W', Cout]`.
  init(forward geometry: ConvolutionGeometry) {
    source = geometry.inputShape
    target = geometry.outputShape
    groups = geometry.groups
    classes = [
      WindowClass(
        vertical: .forward(geometry.vertical), horizontal: .forward(geometry.horizontal))
    ]
    weightDepthStride = geometry.outputChannels
    weightColumnStride = 1
    weightGroupStride = geometry.outputChannelsPerGroup
    weightTapStride = geometry.inputChannelsPerGroup * geometry.outputChannels
    kernelHeight = geometry.vertical.kernel
    kernelWidth = geometry.horizontal.kernel
  }

  /// `[N, H', W', Cout]` to `[N, H, W, Cin]`: windows flipped, weights transposed.
  init(inputGradient geometry: ConvolutionGeometry) {
    source = geometry.outputShape
    target = geometry.inputShape
    groups = geometry.groups
    let horizontal = TapClass.inputGradient(geometry.horizontal)
    classes = TapClass.inputGradient(geometry.vertical).flatMap { vertical in
      horizontal.map { WindowClass(vertical: vertical, horizontal: $0) }
    }
    weightDepthStride = 1
    weightColumnStride = geometry.outputChannels
    weightGroupStride = geometry.outputChannelsPerGroup
    weightTapStride = geometry.inputChannelsPerGroup * geometry.outputChannels
    kernelHeight = geometry.vertical.kernel
    kernelWidth = geometry.horizontal.kernel
  }

  var sourceChannelsPerGroup: Int { source.channels / groups }
  var targetChannelsPerGroup: Int { target.channels / groups }
  /// Whether every channel is filtered by itself.
  var isDepthwise: Bool { sourceChannelsPerGroup == 1 && targetChannelsPerGroup == 1 && groups > 1 }

  /// Whether the taps of one kernel row and their channels form one contiguous stretch of the source.
  func mergesTaps(_ window: WindowClass) -> Bool { groups == 1 && window.horizontal.tapStep == 1 }

  /// The elements of the largest set of packed weights.
  func packedWeightCount(lanes: Int) -> Int {
    guard !isDepthwise else { return 0 }
    let columns = (targetChannelsPerGroup + lanes - 1) / lanes * lanes
    let taps = classes.map(\.tapCount).max() ?? 0
    return taps * sourceChannelsPerGroup * columns * groups
  }
}

extension ConvolutionGeometry {
  var inputShape: ImageShape {
    ImageShape(height: vertical.input, width: horizontal.input, channels: inputChannels)
  }
  var outputShape: ImageShape {
    ImageShape(height: vertical.output, width: horizontal.output, channels: outputChannels)
  }
}
