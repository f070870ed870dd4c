/// A convolution or its gradient by data on its way over the targets.
struct SlidingProduct<S: Scalar> {
  private let plan: SlidingPlan
  private let images: Int
  private let source: UnsafeMutablePointer<S>
  private let weights: UnsafeMutablePointer<S>
  private let bias: UnsafeMutablePointer<S>?
  private let target: UnsafeMutablePointer<S>
  private let workspace: TileWorkspace<S>
  private let isDepthwise: Bool
  /// The columns of one group; a depthwise convolution is a single group of lanes.
  private let panels: PanelSplit
  private let groupCount: Int
  private let rowLimit: Int

  init(
    plan: SlidingPlan, images: Int, source: UnsafeMutablePointer<S>,
    weights: UnsafeMutablePointer<S>, bias: UnsafeMutablePointer<S>?,
    target: UnsafeMutablePointer<S>, workspace: TileWorkspace<S>
  ) {
    self.plan = plan
    self.images = images
    self.source = source
    self.weights = weights
    self.bias = bias
    self.target = target
    self.workspace = workspace
    isDepthwise = plan.isDepthwise
    panels = PanelSplit(
      columns: isDepthwise ? plan.target.channels : plan.targetChannelsPerGroup, of: S.self)
    groupCount = isDepthwise ? 1 : plan.groups
    rowLimit =
      isDepthwise ? TileLimits.laneRows : TileLimits.rows(underColumns: panels.columns, of: S.self)
  }

  /// The bytes of packed weights that are kept in cache while a rectangle is walked.
  private static var residentBytes: Int { 256 * 1024 }

  /// Rectangles whose tiles lie inside one image go image by image, so that all of them find it in
  /// cache; the others follow.
  func run() {
    for window in plan.classes {
      if !isDepthwise { packWeights(window) }
      for image in 0..<images {
        for rectangle in window.rectangles where tileAxis(rectangle) != .image {
          multiply(rectangle, of: window, images: image..<(image + 1), axis: tileAxis(rectangle))
        }
      }
      for rectangle in window.rectangles where tileAxis(rectangle) == .image {
        multiply(rectangle, of: window, images: 0..<images, axis: .image)
      }
    }
  }

  private var operation: TileOperation { isDepthwise ? .laneProducts : .productsAlongDepth }

  private func tileAxis(_ rectangle: TapRectangle) -> TileAxis {
    .best(
      x: rectangle.horizontal.targets.count, y: rectangle.vertical.targets.count, images: images,
      limit: rowLimit)
  }

  /// Weights of one group as panels of `[tap y, tap x, channel, column]`, in the order of the window.
  private func packWeights(_ window: WindowClass) {
    let depth = plan.sourceChannelsPerGroup
    var panelStart = workspace.rest
    for group in 0..<plan.groups {
      for panel in 0..<panels.count {
        let width = panels.vectors(of: panel) * panels.lanes
        for y in 0..<window.vertical.tapCount {
          for x in 0..<window.horizontal.tapCount {
            let offset = weightOffset(window, y: y, x: x) + group * plan.weightGroupStride
            packPanel(
              PanelSource(
                start: weights + offset + panel * panels.width * plan.weightColumnStride,
                depthStride: plan.weightDepthStride, columnStride: plan.weightColumnStride),
              depth: depth, columns: panels.validColumns(of: panel), width: width, into: panelStart)
            panelStart += depth * width
          }
        }
      }
    }
  }

  private func weightOffset(_ window: WindowClass, y: Int, x: Int) -> Int {
    let row = window.vertical.weightStart + y * window.vertical.weightStep
    let column = window.horizontal.weightStart + x * window.horizontal.weightStep
    return (row * plan.kernelWidth + column) * plan.weightTapStride
  }

  private func multiply(
    _ rectangle: TapRectangle, of window: WindowClass, images: Range<Int>, axis: TileAxis
  ) {
    let order = plan.axes(of: rectangle, window, images: images.count, tile: axis)
    let corner = plan.corner(of: rectangle, window, image: images.lowerBound)
    let tapElements = window.tapCount * plan.sourceChannelsPerGroup
    let panelBytes = max(1, tapElements * panels.width * MemoryLayout<S>.size)
    let panelBlocks = EvenSplit(panels.count, limit: max(1, Self.residentBytes / panelBytes))
    for third in 0..<order.third.count {
      for group in 0..<groupCount {
        for block in 0..<panelBlocks.partCount {
          for second in 0..<order.second.count {
            let sourceOffset =
              corner.source + third * order.third.sourceStride
              + second * order.second.sourceStride + group * plan.sourceChannelsPerGroup
            let targetOffset =
              corner.target + third * order.third.targetStride
              + second * order.second.targetStride
            for panel in panelBlocks[block] {
              multiplyLine(
                order.tile, rectangle, window, group: group, panel: panel,
                source: source + sourceOffset, target: target + targetOffset)
            }
          }
        }
      }
    }
  }

  /// The tiles of one line of targets under one panel.
  private func multiplyLine(
    _ axis: TargetAxis, _ rectangle: TapRectangle, _ window: WindowClass, group: Int, panel: Int,
    source: UnsafeMutablePointer<S>, target: UnsafeMutablePointer<S>
  ) {
    let column = panel * panels.width
    let channel = group * plan.targetChannelsPerGroup + column
    let width = panels.vectors(of: panel) * panels.lanes
    let start: UnsafePointer<S> = bias.map { UnsafePointer($0 + channel) } ?? workspace.zeros
    var operands = TileOperands<S>(
      a: source + (isDepthwise ? column : 0), aRows: RowStrides(axis.sourceStride),
      b: panelStart(rectangle, window, group: group, panel: panel, width: width),
      depth: isDepthwise
        ? laneDepth(rectangle, window) : depth(rectangle, window, width: width),
      start: start, startRowStride: 0, c: target + channel, cRowStride: axis.targetStride)
    let (line, to) = (operands.a, operands.c)
    let tiles = EvenSplit(axis.count, limit: rowLimit)
    for tile in 0..<tiles.partCount {
      let rows = tiles[tile]
      operands.a = line + rows.lowerBound * axis.sourceStride
      operands.c = to + rows.lowerBound * axis.targetStride
      workspace.compute(
        operation, rows: rows.count, columns: panels.validColumns(of: panel),
        vectors: panels.vectors(of: panel), operands)
    }
  }

  /// The first weight that the rectangle's windows meet.
  private func panelStart(
    _ rectangle: TapRectangle, _ window: WindowClass, group: Int, panel: Int, width: Int
  ) -> UnsafePointer<S> {
    let (y, x) = (rectangle.vertical.taps.lowerBound, rectangle.horizontal.taps.lowerBound)
    if isDepthwise {
      return UnsafePointer(weights + weightOffset(window, y: y, x: x) + panel * panels.width)
    }
    let depth = plan.sourceChannelsPerGroup
    let before = group * panels.paddedColumns + panel * panels.width
    let taps = (y * window.horizontal.tapCount + x) * depth
    return UnsafePointer(
      workspace.rest + before * window.tapCount * depth + taps * width)
  }

  /// Taps and channels of a window: the channels of a kernel row's taps at once where they are
  /// neighbours, else tap by tap.
  private func depth(_ rectangle: TapRectangle, _ window: WindowClass, width: Int) -> DepthLoops {
    let channels = plan.sourceChannelsPerGroup
    let taps = rectangle.horizontal.taps.count
    let rows = DepthLoop(
      count: rectangle.vertical.taps.count,
      aStride: window.vertical.tapStep * plan.source.rowStride,
      bStride: window.horizontal.tapCount * channels * width)
    if plan.mergesTaps(window) {
      return DepthLoops(
        middle: rows, inner: DepthLoop(count: taps * channels, aStride: 1, bStride: width))
    }
    return DepthLoops(
      outer: rows,
      middle: DepthLoop(
        count: taps, aStride: window.horizontal.tapStep * plan.source.channels,
        bStride: channels * width),
      inner: DepthLoop(count: channels, aStride: 1, bStride: width))
  }

  /// The taps of a window of single channels, whose weights are read where they lie.
  private func laneDepth(_ rectangle: TapRectangle, _ window: WindowClass) -> DepthLoops {
    DepthLoops(
      middle: DepthLoop(
        count: rectangle.vertical.taps.count,
        aStride: window.vertical.tapStep * plan.source.rowStride,
        bStride: window.vertical.weightStep * plan.kernelWidth * plan.weightTapStride),
      inner: DepthLoop(
        count: rectangle.horizontal.taps.count,
        aStride: window.horizontal.tapStep * plan.source.channels,
        bStride: window.horizontal.weightStep * plan.weightTapStride))
  }
}
